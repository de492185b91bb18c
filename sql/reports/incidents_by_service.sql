-- purpose: The last incidents of each service and of the team that owns it, with their documents.
-- grain: kind, name, incident_id
-- reads: incident_records, postmortems, services
-- params: since, top
with recent as (
    select
        records.incident_id,
        records.title,
        records.severity,
        records.service,
        services.team,
        records.is_open,
        records.started_at,
        records.ended_at,
        documents.written_on
    from incident_records as records
    left join postmortems as documents using (incident_id)
    left join services on services.service = records.service
    where records.service is not null
      and records.started_at >= $since::timestamp
),
grouped as (
    select 'service' as kind, service as name, * from recent
    union all
    select 'team' as kind, team as name, * from recent where team is not null
)
select
    kind, name, incident_id, title, severity, service, is_open, started_at, ended_at, written_on,
    count(*) over (partition by kind, name) as total
from grouped
qualify row_number() over (partition by kind, name order by started_at desc, incident_id) <= $top
order by kind, name, started_at desc, incident_id
