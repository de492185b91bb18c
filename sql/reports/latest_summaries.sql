-- purpose: Each metric over the latest period, all severities and services together, on the wall clock.
-- grain: metric_id
-- reads: incident_summaries, metric_definitions
-- params: -
select
    definitions.name,
    definitions.from_phase,
    definitions.to_phase,
    definitions.capped_at,
    -- What is left out of metrics was never to be measured.
    summaries.incidents - summaries.excluded as incidents,
    summaries.measured,
    summaries.median_minutes,
    summaries.median_low_minutes,
    summaries.median_high_minutes,
    summaries.p90_minutes,
    summaries.sentence
from incident_summaries as summaries
join metric_definitions as definitions on definitions.id = summaries.metric_id and definitions.version = summaries.version
where summaries.period = 'latest'
  and summaries.severity = '*'
  and summaries.service = '*'
  and summaries.clock = 'wall'
order by list_position(['ttd', 'tta', 'ttm', 'ttrep', 'ttres', 'ttrst', 'cid', 'fdrt'], summaries.metric_id)
