-- purpose: The day after which a resource's samples belong to its present size.
-- grain: resource_id
-- reads: resource_inventory
-- params: -
select resource_id, config_changed_at::date as changed_on
from resource_inventory
where config_changed_at is not null
