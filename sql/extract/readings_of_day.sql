-- purpose: How often each metric of each resource was read on a day.
-- grain: resource_id
-- reads: utilization
-- params: day_start, day_end
select
    resource_id,
    count(cpu_avg) as cpu_avg_pct,
    count(cpu_max) as cpu_max_pct,
    count(mem_avg) as mem_avg_pct,
    count(mem_max) as mem_max_pct,
    count(net_in_bytes) as net_in_bytes,
    count(net_out_bytes) as net_out_bytes,
    count(disk_read_bytes) as disk_read_bytes,
    count(disk_write_bytes) as disk_write_bytes,
    count(disk_read_ops) as disk_read_ops,
    count(disk_write_ops) as disk_write_ops,
    count(cpu_credit_balance) as cpu_credit_balance,
    count(in_service) as in_service
from utilization
where timestamp >= $day_start and timestamp < $day_end and resource_id is not null
group by resource_id
