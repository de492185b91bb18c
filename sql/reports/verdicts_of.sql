-- purpose: The verdicts of some resources.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: resource_ids
select *
from rightsizing_verdicts
where resource_id in (select unnest($resource_ids::varchar[]))
order by resource_id
