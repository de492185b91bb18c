-- purpose: The resources that existed on the day, with what the verdict needs from their configuration.
-- grain: resource_id
-- reads: resources
-- params: day_end
select
    resource_id,
    type as resource_type,
    -- A size that was changed after the day is not the size of the day: unknown, never guessed.
    case when config_changed_at is null or config_changed_at < $day_end
         then coalesce(current_config ->> 'instance_type', current_config ->> 'instance_class') end as instance_type,
    coalesce(current_config ->> 'region',
             substring(current_config ->> 'availability_zone' from '^([a-z]{2}(?:-[a-z]+)+-[0-9]+)'),
             substring(current_config -> 'availability_zones' ->> 0 from '^([a-z]{2}(?:-[a-z]+)+-[0-9]+)')) as region,
    coalesce(current_config ->> 'platform', 'linux') as platform,
    coalesce(current_config ->> 'tenancy', 'default') as tenancy,
    coalesce(current_config ->> 'lifecycle', 'on-demand') as lifecycle,
    coalesce(current_config ->> 'asg_name', tags ->> 'aws:autoscaling:groupName') as asg_name,
    coalesce(current_config ->> 'managed_by',
             case when tags ? 'eks:cluster-name' or tags ? 'eks:nodegroup-name' then 'eks'
                  when exists (select from jsonb_object_keys(case when jsonb_typeof(tags) = 'object' then tags else '{}' end) as tag where tag like 'kubernetes.io/cluster/%') then 'kubernetes'
                  when tags ? 'aws:ecs:clusterName' then 'ecs' end) as managed_by,
    case when type <> 'autoscaling_group' then 1
         when current_config ->> 'desired_capacity' ~ '^[0-9]{1,6}$' then (current_config ->> 'desired_capacity')::integer
         when current_config ->> 'min_size' ~ '^[0-9]{1,6}$' then (current_config ->> 'min_size')::integer end as units,
    account_id,
    coalesce(service, tags ->> 'service') as service,
    coalesce(team, tags ->> 'team') as team,
    coalesce(environment, tags ->> 'environment', tags ->> 'env') as environment,
    coalesce(tags, '{}'::jsonb)::text as tags,
    current_config::text as config,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as created_at,
    to_char(case when config_changed_at < $day_end then config_changed_at end at time zone 'UTC',
            'YYYY-MM-DD HH24:MI:SS.US') as config_changed_at
from resources
where created_at is null or created_at < $day_end
