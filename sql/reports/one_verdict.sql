-- purpose: The verdict of one resource.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: resource_id
select *
from rightsizing_verdicts
where resource_id = $resource_id
