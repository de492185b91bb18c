-- purpose: For each incident of the work list, the first and the last stretch in which a service level of its services burned its
--          budget fast enough to page, and the time from which on its machines were saturated.
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
        lead(sampled_at) over (partition by service, name order by sampled_at) - sampled_at as step
    from (
        from captured_service_levels
        qualify row_number() over (partition by service, name, sampled_at order by day desc) = 1
    )
    where total > 0
),
bad as (
    select
        own.incident_id,
        levels.service,
        levels.name,
        levels.sampled_at,
        -- After the last sample the step of the others holds.
        coalesce(levels.step, interval 1 hour) as step,
        slos.objective
    from own
    join levels using (service)
    join slos using (service, name)
    where levels.sampled_at between own.from_at and own.to_at
      and 1 - levels.good / levels.total > $burn_rate::double * (1 - slos.objective)
),
hot as (
    select own.incident_id, min(samples.sampled_at) as began_at, arg_min(samples.resource_id, samples.sampled_at) as resource_id
    from own
    join resource_inventory as inventory using (service)
    join utilization_samples as samples using (resource_id)
    where samples.sampled_at between own.from_at and own.to_at and samples.cpu_avg_pct >= $saturated_cpu_pct::double
    group by own.incident_id
)
select incident_id, 'level_started' as kind, min(sampled_at) as began_at, arg_min(service || ' ' || name, sampled_at) as said,
    epoch(min(step))::integer as step_seconds
from bad
group by incident_id
union all
select incident_id, 'level_ended', max(sampled_at + step), arg_max(service || ' ' || name, sampled_at), epoch(min(step))::integer
from bad
group by incident_id
union all
select incident_id, 'saturated', began_at, resource_id, 300
from hot
order by incident_id, kind
