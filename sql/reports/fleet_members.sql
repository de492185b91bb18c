-- purpose: Every resource as far as the gates of a change ask: whose it is, where it is, how many members it has.
-- grain: resource_id
-- reads: resource_inventory
-- params: -
select
    resource_id,
    service,
    environment,
    asg_name,
    units,
    account_id,
    region,
    config_changed_at
from resource_inventory
order by resource_id
