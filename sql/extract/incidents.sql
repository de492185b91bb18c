-- purpose: The incidents that had begun by the end of the day; what happened to them later is not known on that day.
-- grain: incident_id
-- reads: incidents
-- params: day_end
select
    incident_id,
    coalesce(nullif(btrim(title), ''), incident_id) as title,
    severity,
    service,
    -- Where something happened later, the status is one of later.
    case when span.last_at is null or span.last_at < $day_end then status end as status,
    coalesce(kind, 'normal') as kind,
    to_char(case when impact_started_at < $day_end then impact_started_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as impact_started_at,
    to_char(case when detected_at < $day_end then detected_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as detected_at,
    to_char(case when acknowledged_at < $day_end then acknowledged_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as acknowledged_at,
    to_char(case when declared_at < $day_end then declared_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as declared_at,
    to_char(case when identified_at < $day_end then identified_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as identified_at,
    to_char(case when mitigated_at < $day_end then mitigated_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as mitigated_at,
    to_char(case when impact_ended_at < $day_end then impact_ended_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as impact_ended_at,
    to_char(case when resolved_at < $day_end then resolved_at end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as resolved_at,
    slack_channel,
    commander,
    summary
from incidents
cross join lateral (
    select least(impact_started_at, detected_at, acknowledged_at, declared_at, identified_at, mitigated_at, impact_ended_at, resolved_at) as first_at,
           greatest(impact_started_at, detected_at, acknowledged_at, declared_at, identified_at, mitigated_at, impact_ended_at, resolved_at) as last_at
) as span
where span.first_at is null or span.first_at < $day_end
