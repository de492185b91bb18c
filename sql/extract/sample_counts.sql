-- purpose: Rows of each day, to notice what came late.
-- grain: day
-- reads: utilization
-- params: span_start, span_end
select (timestamp at time zone 'UTC')::date as day, count(*) as rows_of_day
from utilization
where timestamp >= $span_start and timestamp < $span_end
group by 1
