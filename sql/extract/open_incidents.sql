-- purpose: The incidents of a service that are open at this moment.
-- grain: incident_id
-- reads: incidents
-- params: service, at
select
    incident_id,
    title
from incidents
where lower(service) = lower($service)
  and coalesce(impact_started_at, detected_at, acknowledged_at, declared_at, '1970-01-01'::timestamptz) <= $at
  and coalesce(impact_ended_at > $at, true)
  and coalesce(resolved_at > $at, true)
  and coalesce(lower(status), 'open') not in ('resolved', 'closed', 'postmortem', 'merged', 'declined', 'canceled', 'cancelled')
  and coalesce(lower(kind), 'normal') not in ('test', 'drill')
order by incident_id
limit 20
