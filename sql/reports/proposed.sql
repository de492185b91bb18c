-- purpose: The verdicts that propose something, with the present minimum of groups.
-- grain: resource_id
-- reads: rightsizing_verdicts, resource_inventory
-- params: -
select
    verdicts.*,
    try_cast(inventory.config ->> 'min_size' as integer) as minimum_size
from rightsizing_verdicts as verdicts
left join resource_inventory as inventory using (resource_id)
where verdicts.verdict = 'propose'
order by resource_id
