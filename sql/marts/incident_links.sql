-- purpose: What ties incidents to right-sizing: resources that one keeps from being shrunk, and changes of size before it.
-- grain: incident_id, resource_id, kind
-- reads: incident_records, protected_windows, proposal_outcomes
-- params: day, suspect_days
with happened as (
    select
        incident_id,
        started_at,
        coalesce(ended_at, $day::date + 1) as ended_at,
        list_distinct(list_append(from_json(coalesce(services, '[]'), '["VARCHAR"]'), service)) as services
    from incident_records
    where started_at is not null and coalesce(kind, 'normal') not in ('test', 'drill')
),
changes as (
    -- A change is told for five weeks; the last that was told of it counts.
    from proposal_outcomes
    where day <= $day::date and applied_on is not null and not is_rollback
    qualify row_number() over (partition by resource_id, source order by day desc) = 1
),
suspects as (
    select
        happened.incident_id,
        changes.resource_id,
        changes.applied_on,
        changes.value_before,
        changes.value_after,
        coalesce(changes.regret and changes.regret_on >= happened.started_at::date, false) as is_regretted,
        coalesce(
            changes.last_emergency_target = changes.resource_id and (
                changes.first_emergency_at between happened.started_at - interval 30 minutes and happened.ended_at
                or changes.last_emergency_at between happened.started_at - interval 30 minutes and happened.ended_at
            ),
            false
        ) as is_hit
    from happened
    join changes on list_contains(happened.services, changes.service)
    where changes.applied_on between happened.started_at::date - $suspect_days::integer and happened.started_at::date
    -- Of several changes of one resource the last before the incident is the nearest to it.
    qualify row_number() over (
        partition by happened.incident_id, changes.resource_id order by changes.applied_on desc, changes.source
    ) = 1
)
select
    windows.event_id as incident_id,
    windows.resource_id,
    'vetoes' as kind,
    'its demand from ' || strftime(windows.started_at, '%Y-%m-%d %H:%M') || ' to ' || strftime(windows.ended_at, '%Y-%m-%d %H:%M')
        || ' UTC must fit into any smaller size (matched by ' || windows.matched_by || ')' as reason
from protected_windows as windows
where windows.event_kind = 'incident'
union all
select
    incident_id,
    resource_id,
    case when is_regretted or is_hit then 'caused' else 'suspect' end,
    'its change from ' || coalesce(value_before, 'an unknown size') || ' to ' || coalesce(value_after, 'an unknown size')
        || ' became live on ' || strftime(applied_on, '%Y-%m-%d')
        || case
            when is_hit then ', and an emergency in the incident hit this very resource'
            when is_regretted then ', and it is regretted since'
            else ', before the incident; that is no proof'
        end
from suspects
