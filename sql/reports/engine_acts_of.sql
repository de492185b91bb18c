-- purpose: What the decision engine did and did not do in one incident, by time.
-- grain: position
-- reads: incident_timeline, incident_records
-- params: incident_id
select
    timeline.position,
    timeline.occurred_at,
    timeline.target,
    timeline.payload ->> 'action_type' as action_type,
    timeline.outcome,
    timeline.payload ->> 'outcome_reason' as outcome_reason,
    timeline.is_non_action,
    try_cast(timeline.payload -> 'metrics' ->> 'error_rate' as double) as error_rate
from incident_timeline as timeline
join incident_records as records on records.incident_id = timeline.incident_id and records.timeline_on = timeline.day
where timeline.incident_id = $incident_id
  and timeline.lane = 'engine'
  and not coalesce((timeline.payload ->> 'is_dry_run')::boolean, false)
order by timeline.position
