-- purpose: When the incidents of some services began, since a moment; tests and drills are none.
-- grain: service, started_at, incident_id
-- reads: incidents
-- params: services, since_at
select service, started_at, incident_id
from (
    select
        service,
        coalesce(impact_started_at, detected_at, acknowledged_at, declared_at) as started_at,
        incident_id
    from incidents
    where coalesce(lower(kind), 'normal') not in ('test', 'drill')
) as dated
where service in (select unnest($services::varchar[]))
  and started_at >= $since_at::timestamp
order by service, started_at, incident_id
