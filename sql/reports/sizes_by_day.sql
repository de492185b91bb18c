-- purpose: What the inventory of each day says of some resources: size, minimum, units, place, and when it was changed last.
-- grain: resource_id, day
-- reads: resource_inventory
-- params: resource_ids
select
    resource_id,
    day,
    resource_type,
    service,
    team,
    environment,
    account_id,
    region,
    units,
    instance_type,
    try_cast(config ->> 'min_size' as integer) as minimum_size,
    nullif(lower(config ->> 'engine'), '') as engine,
    coalesce(lower(config ->> 'multi_az') in ('true', 't', '1', 'yes'), false) as is_multi_az,
    config_changed_at
from resource_inventory
where resource_id in (select unnest($resource_ids::varchar[]))
order by resource_id, day
