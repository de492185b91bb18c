-- purpose: The samples of one day in fixed-width columns: the resource as a 64-bit hash, NULL as -DBL_MAX.
-- grain: resource_id, timestamp
-- reads: utilization
-- params: day_start, day_end
select
    hashtextextended(coalesce(resource_id, '') collate "C", 0) as resource_key,
    timestamp as sampled_at,
    coalesce(cpu_avg, -1.7976931348623157e308) as cpu_avg_pct,
    coalesce(cpu_max, -1.7976931348623157e308) as cpu_max_pct,
    coalesce(mem_avg, -1.7976931348623157e308) as mem_avg_pct,
    coalesce(mem_max, -1.7976931348623157e308) as mem_max_pct,
    coalesce(net_in_bytes, -1.7976931348623157e308) as net_in_bytes,
    coalesce(net_out_bytes, -1.7976931348623157e308) as net_out_bytes,
    coalesce(disk_read_bytes, -1.7976931348623157e308) as disk_read_bytes,
    coalesce(disk_write_bytes, -1.7976931348623157e308) as disk_write_bytes,
    coalesce(disk_read_ops, -1.7976931348623157e308) as disk_read_ops,
    coalesce(disk_write_ops, -1.7976931348623157e308) as disk_write_ops,
    coalesce(cpu_credit_balance, -1.7976931348623157e308) as cpu_credit_balance,
    coalesce(in_service, -1.7976931348623157e308) as in_service
from utilization
where timestamp >= $day_start and timestamp < $day_end
