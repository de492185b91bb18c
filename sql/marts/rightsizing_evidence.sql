-- purpose: All that is known of every resource when its verdict is made: demand, coverage, standing, past emergencies.
-- grain: resource_id
-- reads: resource_inventory, utilization_window, utilization_daily, rejected_rows, emergency_scaleups, protected_windows, incident_demand, resource_risks, decision_audit, resource_names, sizes, proposal_answers, service_headroom
-- params: day_end, lookback_days, excluded_tags, min_headroom_pct
with windows as (
    -- A row for each resource; the recent window (7) for coverage, the look-back for demand.
    select
        resource_id,
        max(covered_minutes) filter (window_days = 7 and metric = 'cpu_avg_pct') as cpu_covered,
        max(covered_minutes) filter (window_days = 7 and metric = 'cpu_max_pct') as cpu_max_covered,
        max(covered_minutes) filter (window_days = 7 and metric in ('mem_avg_pct', 'mem_max_pct')) as memory_covered,
        max(covered_minutes) filter (window_days = 7 and metric = 'mem_max_pct') as memory_max_covered,
        -- What counts in two directions is there as far as both are.
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'net_in_bytes'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'net_out_bytes'), 0)) as network_covered,
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_read_bytes'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_write_bytes'), 0)) as disk_covered,
        least(coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_read_ops'), 0),
              coalesce(max(covered_minutes) filter (window_days = 7 and metric = 'disk_write_ops'), 0)) as operations_covered,
        max(covered_minutes) filter (window_days = $lookback_days and metric = 'cpu_avg_pct') as lookback_covered,
        min(first_on) filter (window_days = $lookback_days and metric = 'cpu_avg_pct') as first_on,
        max(days) filter (window_days = $lookback_days and metric = 'cpu_avg_pct') as lookback_days,
        max(mean) filter (window_days = 7 and metric = 'cpu_avg_pct') as cpu_mean_pct,
        -- Maxima inside the interval say more than averages; where there are both, the higher one counts.
        max(p95) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_p95_pct,
        max(p995) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_p995_pct,
        max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
        max(maximum) filter (metric = 'cpu_avg_pct') as cpu_average_peak_pct,
        max(p995) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_p995_pct,
        max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory_peak_pct,
        -- The busiest intervals of both directions are added as if they were one: an upper bound, never too low.
        (max(maximum) filter (metric = 'net_in_bytes') + max(maximum) filter (metric = 'net_out_bytes'))
            * 8 / 1e9 / min(interval_seconds) filter (metric = 'net_in_bytes') as network_peak_gbps,
        (max(maximum) filter (metric = 'disk_read_bytes') + max(maximum) filter (metric = 'disk_write_bytes'))
            * 8 / 1e6 / min(interval_seconds) filter (metric = 'disk_read_bytes') as disk_peak_mbps,
        (max(maximum) filter (metric = 'disk_read_ops') + max(maximum) filter (metric = 'disk_write_ops'))
            / min(interval_seconds) filter (metric = 'disk_read_ops') as disk_peak_iops,
        max(maximum) filter (metric = 'in_service') as in_service_peak
    from utilization_window
    group by resource_id
),
feeds as (
    -- Disk operations are not in every feed. Where some resource has them, all must; where none has, throughput has to do.
    select count(*) filter (metric in ('disk_read_ops', 'disk_write_ops')) > 0 as has_operations from utilization_window
),
remembered as (
    -- One sample above memory can be a killed process: its highest value is remembered longer than the look-back.
    select daily.resource_id, max(daily.maximum) as memory_ever_pct
    from utilization_daily as daily
    join resource_inventory as inventory using (resource_id)
    where daily.metric in ('mem_avg_pct', 'mem_max_pct')
      and daily.day > coalesce(inventory.config_changed_at::date, '1970-01-01'::date)
    group by daily.resource_id
),
set_aside as (
    -- A reading that could not be right may have been the peak.
    select resource_id, sum(rejected_rows) as rejected_readings
    from rejected_rows
    where (source = 'utilization' or starts_with(source, 'aws_samples.')) and reason in ('nan', 'negative', 'impossible_value')
    group by resource_id
),
emergencies as (
    select resource_id, count(*) as emergencies, max(decision_at) as last_emergency_at, arg_max(target, decision_at) as last_emergency_target
    from emergency_scaleups
    group by resource_id
),
lived_through as (
    -- Demand in physical units of the size that lived through it; a size that is not known is taken to be the present one.
    select
        demand.resource_id,
        coalesce(windows.event_title, demand.event_id) || ', ' || strftime(windows.started_at, '%Y-%m-%d') as event,
        -- What was saturated shows what it got: only more than that would have held.
        case when demand.cpu_peak_pct >= 95 then greatest(demand.cpu_peak_pct, 100) * 1.01 else demand.cpu_peak_pct end
            / 100 * coalesce(size.vcpu, present.vcpu) * load.spread as cpu_vcpu,
        case when demand.mem_peak_pct >= 95 then greatest(demand.mem_peak_pct, 100) * 1.01 else demand.mem_peak_pct end
            / 100 * coalesce(size.memory_gib, present.memory_gib) * load.spread as memory_gib,
        demand.net_peak_bytes_per_second * 8 / 1e9 * load.spread as network_gbps,
        demand.disk_peak_bytes_per_second * 8 / 1e6 * load.spread as disk_mbps,
        demand.disk_peak_ops_per_second * load.spread as disk_iops,
        -- Percentages of a size that is gone and that nobody knows say nothing.
        size.vcpu is null and demand.cpu_peak_pct is not null
            and coalesce(inventory.config_changed_at > demand.window_from_at, false) as is_unsized,
        demand.in_service_peak,
        case when demand.samples > 0 then demand.event_kind || ' ' || demand.event_id end as measured_event
    from incident_demand as demand
    join protected_windows as windows using (resource_id, event_kind, event_id)
    join resource_inventory as inventory using (resource_id)
    left join sizes as size on size.size_name = demand.instance_type
    left join sizes as present on present.size_name = inventory.instance_type
    -- Members that were in service then and are not there now: those that are would have carried their load.
    cross join lateral (
        select case when inventory.resource_type = 'autoscaling_group'
                    then greatest(1, coalesce(demand.in_service_peak, 1) / greatest(coalesce(inventory.units, 1), 1)) else 1 end as spread
    ) as load
),
replays as (
    select
        resource_id,
        -- Events that have one title and day are still several; one in which nothing was measured replays nothing.
        count(distinct measured_event) as replayed_events,
        max(cpu_vcpu) as replay_vcpu,
        arg_max(event, (cpu_vcpu, event)) filter (cpu_vcpu is not null) as replay_vcpu_event,
        max(memory_gib) as replay_memory_gib,
        arg_max(event, (memory_gib, event)) filter (memory_gib is not null) as replay_memory_event,
        max(network_gbps) as replay_network_gbps,
        arg_max(event, (network_gbps, event)) filter (network_gbps is not null) as replay_network_event,
        max(disk_mbps) as replay_disk_mbps,
        arg_max(event, (disk_mbps, event)) filter (disk_mbps is not null) as replay_disk_event,
        max(disk_iops) as replay_disk_iops,
        arg_max(event, (disk_iops, event)) filter (disk_iops is not null) as replay_iops_event,
        max(in_service_peak) as incident_in_service,
        min(event) filter (is_unsized) as unsized_event
    from lived_through
    group by resource_id
),
switches as (
    select names.resource_id, max(decided.decision_at) as kill_switch_at
    from decision_audit as decided
    join resource_names as names on names.name = decided.target or lower(decided.target) in ('*', 'all', 'global')
    where lower(decided.action_type) = 'kill_switch'
      and not coalesce(decided.is_dry_run, false)
      and coalesce(decided.outcome, '') not in ('failed', 'skipped')
      and decided.decision_at >= $day_end::timestamp - interval 1 day
      and decided.decision_at < $day_end::timestamp
    group by names.resource_id
),
facts as (
    select
        inventory.*,
        windows.* exclude (resource_id),
        emergencies.* exclude (resource_id),
        replays.* exclude (resource_id),
        remembered.memory_ever_pct,
        feeds.has_operations,
        switches.kill_switch_at,
        case when answers.kind = 'rejected' then answers.said end as rejected,
        case when answers.kind = 'snoozed' then answers.said end as snoozed,
        risks.open_incident_id,
        risks.open_incident_title,
        risks.open_capacity_item_id,
        risks.open_capacity_item_title,
        risks.slo_name,
        risks.slo_budget_left_pct,
        -- What a service has taught by what became of its changes.
        coalesce(learned.headroom_pct, $min_headroom_pct::double) as headroom_pct,
        coalesce(set_aside.rejected_readings, 0) as rejected_readings,
        -- What could be there: seven days, or the time since the resource exists; of the look-back, the time since its first day.
        least(7 * 1440.0, greatest(1.0, date_diff('second', coalesce(inventory.created_at, '1970-01-01'::timestamp), $day_end::timestamp) / 60.0)) as possible_minutes,
        greatest(1.0, date_diff('second', greatest(windows.first_on::timestamp, coalesce(inventory.created_at, '1970-01-01'::timestamp)), $day_end::timestamp) / 60.0) as lookback_minutes
    from resource_inventory as inventory
    cross join feeds
    left join windows using (resource_id)
    left join remembered using (resource_id)
    left join set_aside using (resource_id)
    left join emergencies using (resource_id)
    left join replays using (resource_id)
    left join switches using (resource_id)
    left join resource_risks as risks using (resource_id)
    left join proposal_answers as answers using (resource_id)
    left join service_headroom as learned on learned.service = inventory.service
)
select
    resource_id,
    resource_type,
    service,
    team,
    environment,
    account_id,
    region,
    units,
    instance_type,
    platform,
    tenancy,
    lifecycle,
    managed_by,
    asg_name,
    nullif(lower(config ->> 'engine'), '') as engine,
    coalesce(lower(config ->> 'multi_az') in ('true', 't', '1', 'yes'), false) as is_multi_az,
    list_filter(
        list_intersect(json_keys(tags), $excluded_tags::varchar[]),
        lambda tag: lower(coalesce(tags ->> ('$."' || replace(tag, '"', '\"') || '"'), '')) <> 'false'
    )[1] as excluding_tag,
    -- A change that was seen in the night may have come after the day.
    case when config_changed_at is not null
         then greatest(0.0, date_diff('second', config_changed_at, $day_end::timestamp) / 86400.0) end as days_since_change,
    lookback_covered / 60.0 as history_hours,
    lookback_days::smallint as lookback_days,
    least(100, 100 * coalesce(lookback_covered, 0) / lookback_minutes) as coverage_pct,
    least(100, 100 * coalesce(cpu_covered, 0) / possible_minutes) as recent_coverage_pct,
    least(100, 100 * coalesce(cpu_max_covered, 0) / possible_minutes) as cpu_max_coverage_pct,
    least(100, 100 * coalesce(memory_covered, 0) / possible_minutes) as memory_coverage_pct,
    least(100, 100 * coalesce(memory_max_covered, 0) / possible_minutes) as memory_max_coverage_pct,
    least(100, 100 * coalesce(network_covered, 0) / possible_minutes) as network_coverage_pct,
    least(100, 100 * coalesce(disk_covered, 0) / possible_minutes) as disk_coverage_pct,
    least(100, 100 * coalesce(operations_covered, 0) / possible_minutes) as operations_coverage_pct,
    has_operations,
    rejected_readings::bigint as rejected_readings,
    case when cpu_covered is null then null
         when coalesce(cpu_max_covered, 0) >= 0.9 * cpu_covered then 'maximum' else 'average' end as cpu_basis,
    case when memory_covered is null then null
         when coalesce(memory_max_covered, 0) >= 0.9 * memory_covered then 'maximum' else 'average' end as memory_basis,
    cpu_mean_pct,
    cpu_p95_pct,
    cpu_p995_pct,
    cpu_peak_pct,
    cpu_average_peak_pct,
    memory_p995_pct,
    memory_peak_pct,
    memory_ever_pct,
    network_peak_gbps,
    disk_peak_mbps,
    disk_peak_iops,
    coalesce(replayed_events, 0)::integer as replayed_events,
    replay_vcpu,
    replay_vcpu_event,
    replay_memory_gib,
    replay_memory_event,
    replay_network_gbps,
    replay_network_event,
    replay_disk_mbps,
    replay_disk_event,
    replay_disk_iops,
    replay_iops_event,
    coalesce(emergencies, 0)::integer as emergencies,
    last_emergency_at,
    last_emergency_target,
    open_incident_id,
    open_incident_title,
    open_capacity_item_id,
    open_capacity_item_title,
    slo_name,
    slo_budget_left_pct,
    kill_switch_at,
    rejected,
    snoozed,
    try_cast(config ->> 'min_size' as integer) as minimum_size,
    try_cast(config ->> 'scheduled_min_size' as integer) as scheduled_minimum,
    case when json_type(config -> 'availability_zones') = 'ARRAY' then greatest(1, json_array_length(config -> 'availability_zones'))
         when config ->> 'availability_zone' is not null then 1 end::integer as zones,
    in_service_peak,
    incident_in_service,
    unsized_event,
    try_cast(config ->> 'network_interfaces' as integer) as interfaces,
    try_cast(config ->> 'volumes' as integer) as volumes,
    headroom_pct,
    -- What AWS could not be asked about tonight may have any size by now.
    case when read_on < $day_end::timestamp::date - 1 then read_on end as unread_since
from facts
