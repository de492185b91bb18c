-- purpose: Scale-ups that really happened in the veto window, for every resource that they speak of.
-- grain: resource_id, decision_at, decision_id
-- reads: decision_audit, resource_inventory
-- params: day_end, veto_days
with happened as (
    select
        *,
        -- One telemetry event may be written down more than once; it is one emergency.
        row_number() over (
            partition by target, coalesce(event_id, decision_id) order by decision_at, decision_id
        ) as repetition
    from decision_audit
    where decision_at >= $day_end::timestamp - to_days($veto_days::integer)
      and decision_at < $day_end::timestamp
      and not is_dry_run
      -- An unknown outcome or action counts: what is not known cannot make a cut safe.
      and coalesce(outcome, 'succeeded') not in ('failed', 'skipped')
      and coalesce(action_type, 'scale_up') not in (
          'scale_down', 'circuit_break', 'rollback', 'kill_switch', 'failover', 'shift_traffic', 'apply_throttling', 'restart',
          'notify', 'no_action'
      )
),
names as (
    select resource_id, resource_id as target, 'resource' as matched_by, 1 as closeness from resource_inventory
    union all
    select resource_id, asg_name, 'autoscaling_group', 2 from resource_inventory where asg_name is not null
    union all
    -- What happened to a member happened to its group.
    select asg_name, resource_id, 'member', 4 from resource_inventory where asg_name in (select resource_id from resource_inventory)
    union all
    select resource_id, service, 'service', 3 from resource_inventory where service is not null
)
select
    names.resource_id,
    happened.decision_at,
    happened.decision_id,
    happened.target,
    arg_min(names.matched_by, names.closeness) as matched_by,
    any_value(happened.action_type) as action_type,
    any_value(happened.policy_id) as policy_id
from happened
join names on names.target = happened.target
where happened.repetition = 1
group by names.resource_id, happened.decision_at, happened.decision_id, happened.target
