-- purpose: The metrics of one incident with their definitions, on both clocks.
-- grain: metric_id, clock
-- reads: incident_metrics, metric_definitions
-- params: incident_id
select
    metrics.metric_id,
    definitions.name,
    definitions.from_phase,
    definitions.to_phase,
    definitions.capped_at,
    metrics.clock,
    metrics.version,
    metrics.status,
    metrics.minutes,
    metrics.censored_minutes,
    metrics.reason
from incident_metrics as metrics
join metric_definitions as definitions on definitions.id = metrics.metric_id and definitions.version = metrics.version
where metrics.incident_id = $incident_id
order by
    list_position(['ttd', 'tta', 'ttm', 'ttrep', 'ttres', 'ttrst', 'cid', 'fdrt'], metrics.metric_id), metrics.clock desc
