-- purpose: Rows that were set aside on the day, by source and reason.
-- grain: source, reason
-- reads: rejected_rows
-- params: -
select source, reason, sum(rejected_rows)::bigint as rows, count(distinct resource_id) as resources
from rejected_rows
group by source, reason
order by rows desc, source, reason
