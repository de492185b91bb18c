-- purpose: Each kind of action of the decision engine in each incident: how long until the mitigation, and whether another incident of a service nearby began soon after.
-- grain: action_type, incident_id
-- reads: incident_records, incident_timeline, incident_phases, service_dependencies
-- params: minutes
with acted as (
    select
        timeline.incident_id,
        timeline.payload ->> 'action_type' as action_type,
        min(timeline.occurred_at) as first_at
    from incident_timeline as timeline
    join incident_records as records on records.incident_id = timeline.incident_id and records.timeline_on = timeline.day
    where timeline.lane = 'engine'
      and timeline.outcome = 'succeeded'
      and not coalesce((timeline.payload ->> 'is_dry_run')::boolean, false)
      and (timeline.payload ->> 'action_type') not in ('notify', 'no_action', 'scale_down')
      and records.counts_in_metrics
    group by all
),
nearby as (
    -- A service is near itself, what it stands on, and what stands on it.
    select service, service as other from incident_records where service is not null
    union
    select service, depends_on from service_dependencies
    union
    select depends_on, service from service_dependencies
)
select
    acted.action_type,
    acted.incident_id,
    case
        when mitigated.began_at >= acted.first_at then date_diff('second', acted.first_at, mitigated.began_at) / 60.0
    end::double as minutes,
    exists (
        from incident_records as other
        join nearby on nearby.service = mine.service and nearby.other = other.service
        where other.incident_id <> acted.incident_id
          and other.counts_in_metrics
          and other.started_at > acted.first_at
          and other.started_at <= acted.first_at + to_minutes($minutes::integer)
    ) as is_followed
from acted
join incident_records as mine using (incident_id)
left join incident_phases as mitigated
    on mitigated.incident_id = acted.incident_id and mitigated.phase = 'mitigated' and mitigated.is_chosen
order by acted.action_type, acted.incident_id
