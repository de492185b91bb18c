-- purpose: The highest CPU and memory of each day of some resources, as lists of the days that are there.
-- grain: resource_id
-- reads: utilization_daily
-- params: resource_ids
with peaks as (
    select
        resource_id,
        day,
        max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
        max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct
    from utilization_daily
    where metric in ('cpu_avg_pct', 'cpu_max_pct', 'mem_avg_pct', 'mem_max_pct')
      and resource_id in (select unnest($resource_ids::varchar[]))
    group by resource_id, day
)
select
    resource_id,
    list(day order by day) as days,
    list(cpu_peak_pct order by day) as cpu_peaks_pct,
    list(memory_peak_pct order by day) as memory_peaks_pct
from peaks
group by resource_id
order by resource_id
