-- purpose: One day of every metric of every resource: how many samples, how they spread, and how much of the day they cover.
-- grain: resource_id, metric
-- reads: utilization_samples
-- params: -
with samples as (
    select *, (epoch_us(sampled_at) // 300000000 % 288)::integer as slot
    from utilization_samples
),
-- A row for each resource, with the metrics side by side: the samples are read once.
resources as (
    select
        resource_id,
        count(*) as rows_of_day,
        bit_count(bitstring_agg(slot, 0, 287)) as slots_5,
        bit_count(bitstring_agg(slot // 2, 0, 143)) as slots_10,
        bit_count(bitstring_agg(slot // 3, 0, 95)) as slots_15,
        bit_count(bitstring_agg(slot // 6, 0, 47)) as slots_30,
        bit_count(bitstring_agg(slot // 12, 0, 23)) as slots_60,
        -- Sums are taken over integers (1/65536 of a unit), because adding floats in parallel gives other last digits each time.
        unnest([
            {metric: 'cpu_avg_pct', samples: count(cpu_avg_pct), minimum: min(cpu_avg_pct), maximum: max(cpu_avg_pct),
             total: sum((cpu_avg_pct::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (cpu_avg_pct is not null))},
            {metric: 'cpu_max_pct', samples: count(cpu_max_pct), minimum: min(cpu_max_pct), maximum: max(cpu_max_pct),
             total: sum((cpu_max_pct::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (cpu_max_pct is not null))},
            {metric: 'mem_avg_pct', samples: count(mem_avg_pct), minimum: min(mem_avg_pct), maximum: max(mem_avg_pct),
             total: sum((mem_avg_pct::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (mem_avg_pct is not null))},
            {metric: 'mem_max_pct', samples: count(mem_max_pct), minimum: min(mem_max_pct), maximum: max(mem_max_pct),
             total: sum((mem_max_pct::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (mem_max_pct is not null))},
            {metric: 'net_in_bytes', samples: count(net_in_bytes), minimum: min(net_in_bytes), maximum: max(net_in_bytes),
             total: sum((net_in_bytes::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (net_in_bytes is not null))},
            {metric: 'net_out_bytes', samples: count(net_out_bytes), minimum: min(net_out_bytes), maximum: max(net_out_bytes),
             total: sum((net_out_bytes::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (net_out_bytes is not null))},
            {metric: 'disk_read_bytes', samples: count(disk_read_bytes), minimum: min(disk_read_bytes), maximum: max(disk_read_bytes),
             total: sum((disk_read_bytes::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (disk_read_bytes is not null))},
            {metric: 'disk_write_bytes', samples: count(disk_write_bytes), minimum: min(disk_write_bytes), maximum: max(disk_write_bytes),
             total: sum((disk_write_bytes::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (disk_write_bytes is not null))},
            {metric: 'disk_read_ops', samples: count(disk_read_ops), minimum: min(disk_read_ops), maximum: max(disk_read_ops),
             total: sum((disk_read_ops::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (disk_read_ops is not null))},
            {metric: 'disk_write_ops', samples: count(disk_write_ops), minimum: min(disk_write_ops), maximum: max(disk_write_ops),
             total: sum((disk_write_ops::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (disk_write_ops is not null))},
            {metric: 'cpu_credit_balance', samples: count(cpu_credit_balance), minimum: min(cpu_credit_balance), maximum: max(cpu_credit_balance),
             total: sum((cpu_credit_balance::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (cpu_credit_balance is not null))},
            {metric: 'in_service', samples: count(in_service), minimum: min(in_service), maximum: max(in_service),
             total: sum((in_service::double * 65536)::bigint), slots: bit_count(bitstring_agg(slot, 0, 287) filter (in_service is not null))}
        ], recursive := true)
    from samples
    group by resource_id
),
intervals as (
    -- How long a sample stands for. Coarser than five minutes: the coarsest grid in which no two samples share a slot. Finer: by
    -- the samples in a slot, taken down to the next usual interval, because a rate must not come out too low when some are lost.
    -- Up to a tenth more samples than slots is a five-minute feed whose clock drifts.
    select
        *,
        300.0 * slots_5 / rows_of_day as spacing,
        case
            when rows_of_day > 1.1 * slots_5 then
                case when spacing >= 240 then 240 when spacing >= 180 then 180 when spacing >= 120 then 120
                     when spacing >= 60 then 60 when spacing >= 30 then 30 when spacing >= 10 then 10 else 1 end
            when slots_5 = slots_60 then 3600
            when slots_5 = slots_30 then 1800
            when slots_5 = slots_15 then 900
            when slots_5 = slots_10 then 600
            else 300
        end as interval_seconds
    from resources
    where samples > 0
)
select
    resource_id,
    metric,
    samples::integer as samples,
    minimum::double as minimum,
    maximum::double as maximum,
    total::double / 65536 / samples as mean,
    interval_seconds::smallint as interval_seconds,
    slots::smallint as covered_slots
from intervals
