-- purpose: The highest CPU and memory of each day of some resources at their present size, for forecasts and charts.
-- grain: resource_id, day
-- reads: utilization_daily, resource_inventory
-- params: resource_ids
select
    daily.resource_id,
    daily.day,
    max(daily.maximum) filter (daily.metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
    max(daily.maximum) filter (daily.metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct
from utilization_daily as daily
join resource_inventory as inventory using (resource_id)
where daily.resource_id in (select unnest($resource_ids::varchar[]))
  -- Percentages of another size would look like growth.
  and daily.day > coalesce(inventory.config_changed_at::date, '1970-01-01'::date)
group by daily.resource_id, daily.day
order by daily.resource_id, daily.day
