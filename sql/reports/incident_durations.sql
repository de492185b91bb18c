-- purpose: How long the main phases of each incident of the latest period took, on the wall clock.
-- grain: metric_id
-- reads: incident_metrics, incident_records, incident_summaries, metric_definitions
-- params: metrics
with latest as (
    select *
    from incident_summaries
    where period = 'latest' and severity = '*' and service = '*' and clock = 'wall'
)
select
    definitions.id as metric_id,
    definitions.name,
    list(metrics.minutes order by metrics.minutes) as minutes,
    any_value(latest.median_minutes) as median_minutes,
    any_value(latest.median_low_minutes) as median_low_minutes,
    any_value(latest.median_high_minutes) as median_high_minutes
from incident_metrics as metrics
join incident_records as records using (incident_id)
join latest on latest.metric_id = metrics.metric_id
join metric_definitions as definitions on definitions.id = metrics.metric_id and definitions.version = latest.version
where metrics.status = 'ok'
  and metrics.clock = 'wall'
  and records.counts_in_metrics
  and records.started_at::date between latest.from_on and latest.to_on
  and list_contains($metrics::varchar[], metrics.metric_id)
group by definitions.id, definitions.name
order by list_position($metrics::varchar[], definitions.id)
