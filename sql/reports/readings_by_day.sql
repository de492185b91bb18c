-- purpose: How much of each day was measured of some resources, their highest CPU and memory, and the members in service.
-- grain: resource_id, day
-- reads: utilization_daily
-- params: resource_ids
select
    resource_id,
    day,
    coalesce(max(samples) filter (metric = 'cpu_avg_pct'), 0)::integer as samples,
    -- A sample of a coarser feed stands for more than five minutes.
    coalesce(max(least(1440, covered_slots::integer * greatest(300, interval_seconds) // 60)) filter (metric = 'cpu_avg_pct'), 0)::integer as cpu_minutes,
    coalesce(max(least(1440, covered_slots::integer * greatest(300, interval_seconds) // 60)) filter (metric in ('mem_avg_pct', 'mem_max_pct')), 0)::integer as memory_minutes,
    max(maximum) filter (metric = 'cpu_avg_pct') as cpu_average_peak_pct,
    max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
    max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct,
    max(mean) filter (metric = 'in_service') as members,
    coalesce(max(samples) filter (metric = 'in_service'), 0)::integer as members_samples
from utilization_daily
where resource_id in (select unnest($resource_ids::varchar[]))
group by resource_id, day
order by resource_id, day
