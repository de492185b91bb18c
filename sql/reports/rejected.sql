-- purpose: Rows that were set aside on the day, by source and reason, without those of bills.
-- grain: source, reason
-- reads: rejected_rows
-- params: -
select source, reason, sum(rejected_rows)::bigint as rows, count(distinct resource_id) as resources
from rejected_rows
-- What is set aside of a bill is not wrong as a rule, and stands in the bill's section.
where source <> 'focus'
group by source, reason
order by rows desc, source, reason
