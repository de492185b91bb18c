-- purpose: For each incident of the work list, the first and the last stretch in which a service level of its services burned its budget fast enough to page, and the time from which on its machines were saturated.
-- grain: incident_id, kind
-- reads: incident_work, captured_service_levels, slos, utilization_samples, resource_inventory
-- params: burn_rate, saturated_cpu_pct
with own as (
    select incident_id, unnest(services) as service, from_at, to_at from incident_work
),
levels as (
    select
        service,
        name,
        sampled_at,
        good,
        total,
        lag(sampled_at) over series as previous_at,
        lead(sampled_at) over series as next_at
    from (
        from captured_service_levels
        qualify row_number() over (partition by service, name, sampled_at order by day desc) = 1
    )
    where total > 0
    window series as (partition by service, name order by sampled_at)
),
grains as (
    -- How far samples usually lie apart; a hole is no sample.
    select service, name, median(epoch(next_at - sampled_at)) as step_seconds from levels group by service, name
),
bad as (
    select
        own.incident_id,
        levels.service || ' ' || levels.name as said,
        levels.sampled_at,
        levels.next_at,
        grains.step_seconds,
        coalesce(epoch(levels.sampled_at - levels.previous_at) <= 2 * grains.step_seconds, false) as is_after_measurement,
        coalesce(epoch(levels.next_at - levels.sampled_at) <= 2 * grains.step_seconds, false) as is_before_measurement
    from own
    join levels using (service)
    join grains using (service, name)
    join slos using (service, name)
    where levels.sampled_at between own.from_at and own.to_at
      and 1 - levels.good / levels.total > $burn_rate::double * (1 - slos.objective)
),
bounds as (
    select
        incident_id,
        arg_min(bad, (sampled_at, said)) as first,
        arg_max(bad, (sampled_at, said)) as last
    from bad
    group by incident_id
),
hot as (
    select own.incident_id, min(samples.sampled_at) as began_at, arg_min(samples.resource_id, samples.sampled_at) as resource_id
    from own
    join resource_inventory as inventory using (service)
    join utilization_samples as samples using (resource_id)
    where samples.sampled_at between own.from_at and own.to_at and samples.cpu_avg_pct >= $saturated_cpu_pct::double
    group by own.incident_id
)
-- Without a measurement right before the first bad one, or right after the last, nobody knows when it began or ended.
select incident_id, 'level_started' as kind, first.sampled_at as began_at, first.said, first.step_seconds::integer as step_seconds
from bounds
where first.is_after_measurement
union all
select incident_id, 'level_ended', last.next_at, last.said, last.step_seconds::integer
from bounds
where last.is_before_measurement
union all
select incident_id, 'saturated', began_at, resource_id, 300
from hot
order by incident_id, kind
