-- purpose: Of how many resources a metric was measured on the day, and over what part of it.
-- grain: metric
-- reads: utilization_daily
-- params: -
select
    metric,
    count(*) as resources,
    sum(samples)::bigint as samples,
    -- A day has 288 slots of five minutes.
    100.0 * avg(covered_slots) / 288 as covered_pct
from utilization_daily
group by metric
order by metric
