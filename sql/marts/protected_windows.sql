-- purpose: Every moment of all known history that a smaller size must have survived, for every resource that it speaks of.
-- grain: resource_id, event_kind, event_id
-- reads: weighed_decisions, incidents, service_dependencies, resource_names
-- params: day_end, minutes_before, minutes_after
with emergencies as (
    select
        'emergency_scaleup' as event_kind,
        decision_id as event_id,
        coalesce(action_type, 'decision') || ' of ' || target || coalesce(' by ' || coalesce(policy_name, policy_id), '') as event_title,
        -- Load rises before the engine acts, and what it adds takes a while to help.
        decision_at - to_minutes($minutes_before::integer) as started_at,
        decision_at + to_minutes($minutes_after::integer) as ended_at,
        target
    from weighed_decisions
    where set_aside is null and decision_at < $day_end::timestamp
),
happened as (
    select
        'incident' as event_kind,
        incident_id as event_id,
        title as event_title,
        coalesce(impact_started_at, detected_at, acknowledged_at, declared_at) as started_at,
        coalesce(impact_ended_at, mitigated_at, resolved_at, $day_end::timestamp) as ended_at,
        service
    from incidents
    where coalesce(lower(kind), 'normal') not in ('test', 'drill')
),
standing as (
    -- The services whose incidents a resource feels: its own, and those that its own cannot do without.
    select resource_id, name as service, 'service' as matched_by, 3 as closeness
    from resource_names
    where matched_by = 'service'
    union all
    select names.resource_id, needed.depends_on, 'dependency', 5
    from resource_names as names
    join service_dependencies as needed on needed.service = names.name
    where names.matched_by = 'service' and coalesce(needed.kind, 'hard') = 'hard'
),
direct as (
    select names.resource_id, emergencies.* exclude (target), names.matched_by, names.closeness
    from emergencies
    join resource_names as names on names.name = emergencies.target
    union all
    select standing.resource_id, happened.* exclude (service), standing.matched_by, standing.closeness
    from happened
    join standing using (service)
    where happened.started_at < $day_end::timestamp
),
matched as (
    from direct
    union all
    -- What a group lived through, its members did, and the other way round; not one member for another.
    select kin.resource_id, direct.* exclude (resource_id, matched_by, closeness), kin.matched_by, 6
    from direct
    join resource_names as kin on kin.name = direct.resource_id and kin.matched_by in ('autoscaling_group', 'member')
    where direct.matched_by not in ('autoscaling_group', 'member')
)
select
    resource_id,
    event_kind,
    event_id,
    any_value(event_title) as event_title,
    any_value(started_at) as started_at,
    any_value(ended_at) as ended_at,
    case arg_min(matched_by, closeness)
        when 'autoscaling_group' then 'group' when 'member' then 'group' else arg_min(matched_by, closeness)
    end as matched_by
from matched
group by resource_id, event_kind, event_id
