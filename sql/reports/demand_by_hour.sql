-- purpose: Hourly maxima of CPU and memory of some resources over seven days, for their charts.
-- grain: resource_id, hour
-- reads: utilization_samples
-- params: resource_ids, starts_at
select
    resource_id,
    date_diff('hour', $starts_at::timestamp, sampled_at)::integer as hour,
    greatest(max(cpu_avg_pct), max(cpu_max_pct)) as cpu_pct,
    greatest(max(mem_avg_pct), max(mem_max_pct)) as memory_pct
from utilization_samples
where resource_id in (select unnest($resource_ids::varchar[]))
  and sampled_at >= $starts_at::timestamp
group by all
order by resource_id, hour
