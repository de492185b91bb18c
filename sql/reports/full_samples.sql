-- purpose: How many samples of each day show some resources at the limit of their size: CPU as good as full, or memory.
-- grain: resource_id, day
-- reads: utilization_samples
-- params: average_ids, member_ids, memory_ids, full_cpu_pct, full_memory_pct
select
    resource_id,
    day,
    count(*)::integer as exceeded
from utilization_samples
where (resource_id in (select unnest($average_ids::varchar[])) and cpu_avg_pct >= $full_cpu_pct::double)
   -- A group's average hides its busiest member.
   or (resource_id in (select unnest($member_ids::varchar[])) and greatest(cpu_avg_pct, cpu_max_pct) >= $full_cpu_pct::double)
   or (resource_id in (select unnest($memory_ids::varchar[])) and greatest(mem_avg_pct, mem_max_pct) >= $full_memory_pct::double)
group by resource_id, day
order by resource_id, day
