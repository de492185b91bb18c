-- purpose: All proposals of a day.
-- grain: resource_id
-- reads: proposals
-- params: -
select *
from proposals
order by resource_id
