-- purpose: Every resource with its verdict: one size down in its family, or the first gate that forbids it, with the number that decided.
-- grain: resource_id
-- reads: resource_inventory, utilization_window, emergency_scaleups, rejected_rows, instance_types, instance_prices
-- params: day_end, lookback_days, min_history_hours, min_coverage_pct, max_cpu_p995_pct, max_cpu_peak_pct, max_memory_peak_pct, emergency_veto_days, change_veto_days, min_savings_usd_month, excluded_tags, hours_per_month
with windows as (
    -- A row for each resource; the recent window (7) for coverage, the look-back for demand.
    select
        resource_id,
        max(covered_minutes) filter (window_days = 7 and metric = 'cpu_avg_pct') as cpu_covered,
        max(covered_minutes) filter (window_days = 7 and metric = 'cpu_max_pct') as cpu_max_covered,
        max(covered_minutes) filter (window_days = 7 and metric in ('mem_avg_pct', 'mem_max_pct')) as memory_covered,
        max(covered_minutes) filter (window_days = 7 and metric = 'mem_max_pct') as memory_max_covered,
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'net_in_bytes'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'net_out_bytes'), 0)) as network_covered,
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_read_bytes'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_write_bytes'), 0)) as disk_covered,
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_read_ops'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_write_ops'), 0)) as operations_covered,
        max(covered_minutes) filter (window_days = $lookback_days and metric = 'cpu_avg_pct') / 60.0 as history_hours,
        max(days) filter (window_days = $lookback_days and metric = 'cpu_avg_pct') as lookback_days,
        max(mean) filter (window_days = 7 and metric = 'cpu_avg_pct') as cpu_mean_pct,
        -- Maxima inside the interval say more than averages; where there are both, the higher one counts.
        max(p95) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_p95_pct,
        max(p995) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_p995_pct,
        max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
        max(p995) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_p995_pct,
        max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct,
        -- The busiest intervals of both directions are added as if they were one: an upper bound, never too low.
        (max(maximum) filter (metric = 'net_in_bytes') + max(maximum) filter (metric = 'net_out_bytes'))
            * 8 / 1e9 / min(interval_seconds) filter (metric = 'net_in_bytes') as network_peak_gbps,
        (max(maximum) filter (metric = 'disk_read_bytes') + max(maximum) filter (metric = 'disk_write_bytes'))
            * 8 / 1e6 / min(interval_seconds) filter (metric = 'disk_read_bytes') as disk_peak_mbps,
        (max(maximum) filter (metric = 'disk_read_ops') + max(maximum) filter (metric = 'disk_write_ops'))
            / min(interval_seconds) filter (metric = 'disk_read_ops') as disk_peak_iops
    from utilization_window
    group by resource_id
),
feeds as (
    -- Disk operations are not in every feed. Where some resource has them, all must; where none has, throughput has to do.
    select count(*) filter (metric in ('disk_read_ops', 'disk_write_ops')) > 0 as has_operations from utilization_window
),
set_aside as (
    -- A reading that could not be right may have been the peak.
    select resource_id, sum(rejected_rows) as set_aside_rows
    from rejected_rows
    where source = 'utilization' and reason in ('nan', 'negative', 'impossible_value')
    group by resource_id
),
emergencies as (
    select resource_id, count(*) as emergencies, max(decision_at) as last_at, arg_max(target, decision_at) as last_target
    from emergency_scaleups
    group by resource_id
),
sizes as (
    -- For each type, the next smaller size of its family. Bare metal is another way of running, not a size, and fewer
    -- accelerators are another machine.
    select
        current.instance_type as current_type,
        max_by(candidate.instance_type, (candidate.vcpu, candidate.memory_gib, candidate.instance_type)) as candidate_type
    from instance_types as current
    join instance_types as candidate
      on candidate.family = current.family
     and candidate.arch = current.arch
     and not candidate.bare_metal
     and not current.bare_metal
     and coalesce(candidate.gpus, 0) = coalesce(current.gpus, 0)
     and candidate.vcpu <= current.vcpu
     and candidate.memory_gib < current.memory_gib
    group by current.instance_type
),
facts as (
    select
        inventory.*,
        emergencies.* exclude (resource_id),
        windows.* exclude (resource_id),
        feeds.has_operations,
        coalesce(set_aside.set_aside_rows, 0) as set_aside_rows,
        regexp_matches(inventory.instance_type, '^(inf|trn|vt|dl|f[0-9]|g[0-9]|p[0-9])') as is_accelerated,
        sizes.candidate_type,
        present.vcpu as vcpu,
        present.memory_gib as memory_gib,
        present.instance_storage_gb as instance_storage_gb,
        present.network_baseline_gbps as network_now_gbps,
        present.ebs_baseline_mbps as disk_now_mbps,
        present.ebs_baseline_iops as disk_now_iops,
        smaller.network_baseline_gbps as network_then_gbps,
        smaller.ebs_baseline_mbps as disk_then_mbps,
        smaller.ebs_baseline_iops as disk_then_iops,
        present.vcpu / smaller.vcpu::double as cpu_ratio,
        present.memory_gib / smaller.memory_gib::double as memory_ratio,
        least($max_cpu_p995_pct, coalesce(smaller.burst_baseline_pct, case when smaller.burstable then 0 end, 100)) as cpu_limit_pct,
        price.usd_per_hour * inventory.units * $hours_per_month as current_usd_month,
        smaller_price.usd_per_hour * inventory.units * $hours_per_month as candidate_usd_month,
        case when price.price_quality = 'listed' then smaller_price.price_quality else price.price_quality end as price_quality,
        price.price_source,
        price.price_as_of,
        list_filter(
            list_intersect(json_keys(inventory.tags), $excluded_tags::varchar[]),
            lambda tag: lower(coalesce(inventory.tags ->> ('$."' || replace(tag, '"', '\"') || '"'), '')) <> 'false'
        ) as excluding_tags,
        date_diff('second', inventory.config_changed_at, $day_end::timestamp) / 86400.0 as days_since_change,
        -- What could be there: seven days, or the time since the resource exists.
        least(7 * 1440.0, greatest(1.0, date_diff('second', coalesce(inventory.created_at, '1970-01-01'::timestamp), $day_end::timestamp) / 60.0)) as possible_minutes
    from resource_inventory as inventory
    cross join feeds
    left join windows using (resource_id)
    left join set_aside using (resource_id)
    left join emergencies using (resource_id)
    left join instance_types as present on present.instance_type = inventory.instance_type
    left join sizes on sizes.current_type = inventory.instance_type
    left join instance_types as smaller on smaller.instance_type = sizes.candidate_type
    left join instance_prices as price on price.instance_type = inventory.instance_type and price.region = inventory.region
    left join instance_prices as smaller_price on smaller_price.instance_type = sizes.candidate_type and smaller_price.region = inventory.region
),
shares as (
    select
        *,
        100 * coalesce(cpu_covered, 0) / possible_minutes as coverage_pct,
        100 * coalesce(memory_covered, 0) / possible_minutes as memory_coverage_pct,
        100 * coalesce(network_covered, 0) / possible_minutes as network_coverage_pct,
        100 * coalesce(disk_covered, 0) / possible_minutes as disk_coverage_pct,
        100 * coalesce(operations_covered, 0) / possible_minutes as operations_coverage_pct,
        100 * coalesce(cpu_max_covered, 0) / possible_minutes as cpu_max_coverage_pct,
        100 * coalesce(memory_max_covered, 0) / possible_minutes as memory_max_coverage_pct
    from facts
),
judged as (
    -- Gates in the order in which a reader wants to hear of them; the first that holds decides. A comparison with an unknown
    -- is unknown and would let the gate pass, so every gate on a number says what happens without it.
    select *, list_filter([
        {code: 'refuse_excluded_by_tag', hit: len(excluding_tags) > 0, value: null::double, lim: null::double, text: excluding_tags[1]},
        {code: 'insufficient_catalog', hit: resource_type not in ('ec2_instance', 'autoscaling_group'), value: null, lim: null,
         text: 'Resources of type ' || resource_type || ' are not sized yet.'},
        {code: 'refuse_spot', hit: lower(lifecycle) = 'spot', value: null, lim: null, text: lifecycle},
        {code: 'refuse_managed_by_orchestrator', hit: managed_by is not null, value: null, lim: null, text: managed_by},
        {code: 'refuse_group_member', hit: resource_type = 'ec2_instance' and asg_name is not null, value: null, lim: null, text: asg_name},
        {code: 'refuse_recent_emergency_scaleup', hit: emergencies > 0, value: emergencies, lim: $emergency_veto_days,
         text: 'on ' || strftime(last_at, '%Y-%m-%d %H:%M') || ' UTC (recorded for ' || last_target || ')'},
        {code: 'insufficient_catalog', hit: vcpu is null, value: null, lim: null,
         text: coalesce('The catalog has no instance type ' || instance_type || '.', 'Its instance type on that day is not known.')},
        {code: 'insufficient_catalog', hit: units is null, value: null, lim: null,
         text: 'Its configuration does not say how many members it has.'},
        {code: 'refuse_instance_store', hit: instance_storage_gb > 0, value: instance_storage_gb, lim: null, text: null},
        {code: 'refuse_recently_changed', hit: days_since_change < $change_veto_days, value: days_since_change, lim: $change_veto_days, text: null},
        {code: 'insufficient_history', hit: coalesce(history_hours, 0) < $min_history_hours, value: coalesce(history_hours, 0), lim: $min_history_hours, text: null},
        {code: 'insufficient_coverage', hit: coverage_pct < $min_coverage_pct, value: coverage_pct, lim: $min_coverage_pct, text: 'CPU'},
        {code: 'insufficient_clean_data', hit: set_aside_rows > 0, value: set_aside_rows, lim: 0, text: null},
        -- An average over members hides the worst of them; the highest member has to be known.
        {code: 'insufficient_coverage', hit: resource_type = 'autoscaling_group' and cpu_max_coverage_pct < $min_coverage_pct, value: cpu_max_coverage_pct, lim: $min_coverage_pct, text: 'highest-member CPU'},
        {code: 'insufficient_catalog', hit: is_accelerated, value: null, lim: null,
         text: 'The sizes of ' || instance_type || ' differ in accelerators, whose use is not measured.'},
        {code: 'keep_no_cheaper_fit', hit: candidate_type is null, value: null, lim: null,
         text: instance_type || ' is the smallest size of its family.'},
        {code: 'insufficient_price', hit: lower(tenancy) <> 'default', value: null, lim: null, text: instance_type || ' on ' || tenancy || ' tenancy'},
        {code: 'insufficient_price', hit: current_usd_month is null or candidate_usd_month is null, value: null, lim: null,
         text: instance_type || ' or ' || candidate_type || ' in ' || coalesce(region, 'an unknown region')},
        {code: 'keep_busy_cpu', hit: coalesce(cpu_p995_pct * cpu_ratio > cpu_limit_pct, true), value: cpu_p995_pct * cpu_ratio, lim: cpu_limit_pct, text: 'P99.5'},
        {code: 'keep_busy_cpu', hit: coalesce(cpu_peak_pct * cpu_ratio > $max_cpu_peak_pct, true), value: cpu_peak_pct * cpu_ratio, lim: $max_cpu_peak_pct, text: 'peak'},
        {code: 'insufficient_memory_data', hit: resource_type = 'autoscaling_group' and memory_max_coverage_pct < $min_coverage_pct, value: memory_max_coverage_pct, lim: $min_coverage_pct, text: null},
        {code: 'insufficient_memory_data', hit: memory_coverage_pct < $min_coverage_pct, value: memory_coverage_pct, lim: $min_coverage_pct, text: null},
        {code: 'keep_busy_memory', hit: coalesce(memory_peak_pct * memory_ratio > $max_memory_peak_pct, true), value: memory_peak_pct * memory_ratio, lim: $max_memory_peak_pct, text: null},
        {code: 'insufficient_coverage', hit: coalesce(network_then_gbps < network_now_gbps, true) and network_coverage_pct < $min_coverage_pct, value: network_coverage_pct, lim: $min_coverage_pct, text: 'network'},
        {code: 'keep_busy_network', hit: coalesce(network_then_gbps < network_now_gbps, true) and coalesce(network_peak_gbps > network_then_gbps, true), value: network_peak_gbps, lim: network_then_gbps, text: null},
        {code: 'insufficient_coverage', hit: coalesce(disk_then_mbps < disk_now_mbps, true) and disk_coverage_pct < $min_coverage_pct, value: disk_coverage_pct, lim: $min_coverage_pct, text: 'disk'},
        {code: 'keep_busy_ebs', hit: coalesce(disk_then_mbps < disk_now_mbps, true) and coalesce(disk_peak_mbps > disk_then_mbps, true), value: disk_peak_mbps, lim: disk_then_mbps, text: 'Mbit/s'},
        {code: 'insufficient_coverage', hit: has_operations and coalesce(disk_then_iops < disk_now_iops, true) and operations_coverage_pct < $min_coverage_pct, value: operations_coverage_pct, lim: $min_coverage_pct, text: 'disk operation'},
        {code: 'keep_busy_ebs', hit: has_operations and coalesce(disk_then_iops < disk_now_iops, true) and coalesce(disk_peak_iops > disk_then_iops, true), value: disk_peak_iops, lim: disk_then_iops, text: 'IOPS'},
        {code: 'keep_savings_too_small', hit: current_usd_month - candidate_usd_month < greatest($min_savings_usd_month, 0.01), value: current_usd_month - candidate_usd_month, lim: $min_savings_usd_month, text: null},
        {code: 'propose_smaller_size', hit: true, value: cpu_p995_pct * cpu_ratio, lim: cpu_limit_pct, text: null}
    ], lambda gate: gate.hit)[1] as decision
    from shares
)
select
    resource_id,
    resource_type,
    service,
    team,
    environment,
    region,
    units,
    split_part(decision.code, '_', 1) as verdict,
    decision.code as reason_code,
    decision.value as deciding_value,
    decision.lim::double as deciding_limit,
    decision.text as deciding_text,
    instance_type as current_type,
    candidate_type,
    case when decision.code = 'propose_smaller_size' then candidate_type end as target_type,
    current_usd_month,
    candidate_usd_month,
    case when decision.code = 'propose_smaller_size' then current_usd_month - candidate_usd_month else 0 end as savings_usd_month,
    -- A member's money is its group's; without a smaller size nothing is at stake; without a price it is unknown, not nothing.
    case when decision.code = 'refuse_group_member' or (vcpu is not null and candidate_type is null) then 0
         when current_usd_month - candidate_usd_month is not null then greatest(0, current_usd_month - candidate_usd_month) end as stake_usd_month,
    price_quality,
    price_source,
    price_as_of,
    coverage_pct,
    history_hours,
    lookback_days::smallint as lookback_days,
    case when cpu_covered is null then null
         when coalesce(cpu_max_covered, 0) >= 0.9 * cpu_covered then 'maximum' else 'average' end as cpu_basis,
    cpu_mean_pct,
    cpu_p95_pct,
    cpu_p995_pct,
    cpu_peak_pct,
    cpu_limit_pct,
    case when memory_covered is null then null
         when coalesce(memory_max_covered, 0) >= 0.9 * memory_covered then 'maximum' else 'average' end as memory_basis,
    memory_p995_pct,
    memory_peak_pct,
    cpu_ratio,
    memory_ratio,
    coalesce(emergencies, 0)::integer as emergencies,
    last_at as last_emergency_at,
    last_target as last_emergency_target
from judged
