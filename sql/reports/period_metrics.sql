-- purpose: The metrics of a night: of incidents that started in its latest period, and of those that are named.
-- grain: incident_id, metric_id, clock
-- reads: metric_definitions, incident_records, incident_metrics
-- params: day, period_days, incident_ids
select
    metrics.incident_id,
    metrics.metric_id,
    definitions.name,
    metrics.clock,
    metrics.status,
    metrics.minutes,
    metrics.censored_minutes,
    metrics.from_at,
    metrics.to_at,
    coalesce(records.severity, 'unknown') as severity,
    coalesce(records.service, 'unknown') as service,
    coalesce(records.started_at::date between $day::date - $period_days::integer + 1 and $day::date, false) as is_in_period
from incident_metrics as metrics
join incident_records as records using (incident_id)
join metric_definitions as definitions on definitions.id = metrics.metric_id
where is_in_period or metrics.incident_id in (select unnest($incident_ids::varchar[]))
order by metrics.incident_id, metrics.metric_id, metrics.clock
