-- purpose: What is known of each metric in each group of incidents and period; '*' stands for every severity or service.
-- grain: severity, service, metric_id, clock, period
-- reads: incident_records, incident_metrics
-- params: day, period_days, engine_only, people_too
with told as (
    select unnest($engine_only::varchar[]) as incident_id, true as is_engine_only
    union all
    select unnest($people_too::varchar[]), false
),
facts as (
    select
        metrics.metric_id,
        metrics.clock,
        metrics.version,
        metrics.status,
        metrics.minutes,
        metrics.censored_minutes,
        records.incident_id,
        records.counts_in_metrics,
        records.started_at::date as started_on,
        coalesce(records.severity, 'unknown') as severity,
        coalesce(records.service, 'unknown') as service,
        told.is_engine_only
    from incident_metrics as metrics
    join incident_records as records using (incident_id)
    left join told using (incident_id)
    where coalesce(records.started_at::date <= $day::date, true)
),
periods as (
    select 'latest' as period, $day::date - $period_days::integer + 1 as from_on, $day::date as to_on
    union all
    select 'previous', $day::date - 2 * $period_days::integer + 1, $day::date - $period_days::integer
    union all
    select 'all', min(started_on), $day::date from facts
),
members as (
    -- Each incident speaks for itself, for its severity, for its service, and for all.
    select facts.* exclude (severity, service), severities.severity, services.service
    from facts
    cross join lateral (select unnest(list_distinct([facts.severity, '*']))) as severities (severity)
    cross join lateral (select unnest(list_distinct([facts.service, '*']))) as services (service)
),
counted as (
    select
        periods.period,
        members.severity,
        members.service,
        members.metric_id,
        members.clock,
        count(*) as incidents,
        count(*) filter (members.counts_in_metrics) as counting,
        count(*) filter (members.status = 'missing') as missing,
        count(*) filter (members.status = 'invalid') as invalid,
        count(*) filter (members.status = 'excluded') as excluded,
        list(members.minutes order by members.minutes) filter (members.status = 'ok') as ended,
        list(members.censored_minutes order by members.censored_minutes) filter (members.status = 'provisional') as running,
        -- What customers feel of an open incident has been felt, too.
        -- In whole microseconds: a sum of fractions depends on its order.
        sum((coalesce(members.minutes, members.censored_minutes) * 60e6)::bigint) filter (members.metric_id = 'cid') / 60e6
            as impact_minutes,
        count(*) filter (members.counts_in_metrics and members.is_engine_only) as engine_only,
        count(*) filter (members.counts_in_metrics and members.is_engine_only is not null) as engine_known
    from members
    join periods on periods.period = 'all' or members.started_on between periods.from_on and periods.to_on
    group by all
),
cells as (
    -- A group that has had incidents has none in a period: that is a zero, and no missing row.
    select known.*, periods.*
    from (select distinct severity, service, metric_id, clock, version from members) as known
    cross join periods
)
select
    cells.*,
    coalesce(counted.incidents, 0) as incidents,
    coalesce(counted.counting, 0) as counting,
    coalesce(counted.missing, 0) as missing,
    coalesce(counted.invalid, 0) as invalid,
    coalesce(counted.excluded, 0) as excluded,
    coalesce(counted.ended, []) as ended,
    coalesce(counted.running, []) as running,
    max(counted.impact_minutes) over (
        partition by cells.period, cells.severity, cells.service, cells.clock
    ) as impact_minutes,
    coalesce(counted.engine_only, 0) as engine_only,
    coalesce(counted.engine_known, 0) as engine_known
from cells
left join counted using (period, severity, service, metric_id, clock)
order by cells.severity, cells.service, cells.metric_id, cells.clock, cells.period
