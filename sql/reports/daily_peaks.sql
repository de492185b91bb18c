-- purpose: The highest CPU and memory of each day of some resources, for forecasts.
-- grain: resource_id, day
-- reads: utilization_daily
-- params: resource_ids
select
    resource_id,
    day,
    max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
    max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct
from utilization_daily
where resource_id in (select unnest($resource_ids::varchar[]))
group by resource_id, day
order by resource_id, day
