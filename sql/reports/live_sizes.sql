-- purpose: What is live of some resources: type or class, and the minimum of groups.
-- grain: resource_id
-- reads: resource_inventory
-- params: resource_ids
select
    resource_id,
    instance_type,
    try_cast(config ->> 'min_size' as integer) as minimum_size
from resource_inventory
where resource_id in (select unnest($resource_ids::varchar[]))
order by resource_id
