-- purpose: The highest demand of each resource in each protected window that touches the day, beside what is known already.
-- grain: resource_id, event_kind, event_id
-- reads: protected_windows, utilization_samples, utilization_daily, resource_inventory, incident_demand
-- params: day, has_samples
with windows as (
    select
        resource_id,
        event_kind,
        event_id,
        greatest(started_at, $day::date::timestamp) as window_from_at,
        least(ended_at, $day::date + interval 1 day) as window_to_at
    from protected_windows
    where started_at < $day::date + interval 1 day and ended_at >= $day::date
),
daily as (
    select
        resource_id,
        min(interval_seconds) as interval_seconds,
        max(samples) as samples,
        max(maximum) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu_peak_pct,
        max(maximum) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as mem_peak_pct,
        max(maximum) filter (metric = 'net_in_bytes') + max(maximum) filter (metric = 'net_out_bytes') as net_peak_bytes,
        max(maximum) filter (metric = 'disk_read_bytes') + max(maximum) filter (metric = 'disk_write_bytes') as disk_peak_bytes,
        max(maximum) filter (metric = 'disk_read_ops') + max(maximum) filter (metric = 'disk_write_ops') as disk_peak_ops,
        max(maximum) filter (metric = 'in_service') as in_service_peak
    from utilization_daily
    semi join windows using (resource_id)
    group by resource_id
),
measured as (
    select
        windows.resource_id,
        windows.event_kind,
        windows.event_id,
        count(*) as samples,
        -- Maxima inside the interval say more than averages; where there are both, the higher one counts.
        greatest(max(read.cpu_avg_pct), max(read.cpu_max_pct)) as cpu_peak_pct,
        greatest(max(read.mem_avg_pct), max(read.mem_max_pct)) as mem_peak_pct,
        max(read.net_in_bytes::double + read.net_out_bytes) as net_peak_bytes,
        max(read.disk_read_bytes::double + read.disk_write_bytes) as disk_peak_bytes,
        max(read.disk_read_ops::double + read.disk_write_ops) as disk_peak_ops,
        max(read.in_service) as in_service_peak
    from windows
    left join daily using (resource_id)
    -- A sample speaks of the interval that begins with it.
    join utilization_samples as read
      on read.resource_id = windows.resource_id
     and read.sampled_at <= windows.window_to_at
     and read.sampled_at + to_seconds(coalesce(daily.interval_seconds, 300)) > windows.window_from_at
    group by windows.resource_id, windows.event_kind, windows.event_id
),
sizes as (
    select
        windows.resource_id,
        windows.event_kind,
        windows.event_id,
        -- A size that was changed after the window began is not the one that lived through it: unknown, never guessed.
        arg_min(inventory.instance_type, inventory.day) filter (
            inventory.config_changed_at is null or inventory.config_changed_at <= windows.window_from_at
        ) as instance_type,
        arg_min(inventory.units, inventory.day) as units
    from windows
    join resource_inventory as inventory using (resource_id)
    where inventory.day >= $day::date
    group by windows.resource_id, windows.event_kind, windows.event_id
),
demand as (
    select * from measured
    union all by name
    select windows.resource_id, windows.event_kind, windows.event_id, daily.* exclude (resource_id, interval_seconds)
    from windows
    join daily using (resource_id)
    where not $has_samples::boolean
),
found as (
    -- A window in which nothing was measured has its row all the same: it was looked at.
    select
        windows.*,
        coalesce(demand.samples, 0)::integer as samples,
        demand.cpu_peak_pct::double as cpu_peak_pct,
        demand.mem_peak_pct::double as mem_peak_pct,
        demand.net_peak_bytes::double / daily.interval_seconds as net_peak_bytes_per_second,
        demand.disk_peak_bytes::double / daily.interval_seconds as disk_peak_bytes_per_second,
        demand.disk_peak_ops::double / daily.interval_seconds as disk_peak_ops_per_second,
        demand.in_service_peak::double as in_service_peak,
        sizes.instance_type,
        sizes.units,
        case when $has_samples::boolean then 'samples' else 'day' end as basis
    from windows
    left join demand using (resource_id, event_kind, event_id)
    left join sizes using (resource_id, event_kind, event_id)
    left join daily on daily.resource_id = windows.resource_id
),
weighed as (
    select *, case basis when 'samples' then 1 else 3 end as place from found
    union all by name
    -- What samples have said stays when they are gone.
    select * exclude (day), case basis when 'samples' then 2 else 4 end as place from incident_demand
)
select * exclude (place)
from weighed
qualify row_number() over (partition by resource_id, event_kind, event_id order by place) = 1
