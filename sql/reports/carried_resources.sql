-- purpose: Resources that AWS could not be asked about, with the earliest day that is known of any.
-- grain: -
-- reads: resource_inventory
-- params: day
select count(*) as resources, min(read_on) as since, min(resource_id) as example
from resource_inventory
where read_on < $day::date
