-- purpose: What is sized, with what commitments look at, and whether it runs and is paid by the hour: a member of a listed group is not.
-- grain: resource_id
-- reads: resource_inventory
-- params: -
with resources as (
    select *, nullif(lower(config ->> 'engine'), '') as engine
    from resource_inventory
    where resource_type in ('ec2_instance', 'autoscaling_group', 'rds_instance')
)
select
    resource_id,
    resource_type,
    account_id,
    region,
    instance_type,
    platform,
    tenancy,
    engine,
    units,
    -- In Aurora every replica is a resource of its own.
    coalesce(lower(config ->> 'multi_az') in ('true', 't', '1', 'yes'), false) and not starts_with(coalesce(engine, ''), 'aurora')
        as has_standby,
    coalesce(lower(lifecycle), 'on-demand') <> 'spot'
        -- What is off costs nothing, and nothing pays for it.
        and not coalesce(lower(config ->> 'state') in ('stopped', 'stopping', 'shutting-down', 'terminated', 'deleting'), false)
        and not coalesce(
            resource_type = 'ec2_instance'
                and asg_name in (select resource_id from resources where resource_type = 'autoscaling_group'),
            false
        ) as is_paid_hourly
from resources
order by resource_id
