-- purpose: Resources that are listed twice.
-- grain: resource_id
-- reads: resource_inventory
-- params: -
select resource_id, count(*) as listed
from resource_inventory
group by resource_id
having count(*) > 1
