-- purpose: In how many five minutes of a day each metric of each resource was read.
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
from (
    -- Rows of a finer feed are no more than what they cover.
    select
        resource_id,
        max(cpu_avg) as cpu_avg,
        max(cpu_max) as cpu_max,
        max(mem_avg) as mem_avg,
        max(mem_max) as mem_max,
        max(net_in_bytes) as net_in_bytes,
        max(net_out_bytes) as net_out_bytes,
        max(disk_read_bytes) as disk_read_bytes,
        max(disk_write_bytes) as disk_write_bytes,
        max(disk_read_ops) as disk_read_ops,
        max(disk_write_ops) as disk_write_ops,
        max(cpu_credit_balance) as cpu_credit_balance,
        max(in_service) as in_service
    from utilization
    where timestamp >= $day_start and timestamp < $day_end and resource_id is not null
    group by resource_id, date_bin('5 minutes', timestamp, 'epoch')
) as slots
group by resource_id
