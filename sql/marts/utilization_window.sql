-- purpose: The last seven days and the look-back of every metric, added up from the daily rollups.
-- grain: resource_id, window_days, metric
-- reads: utilization_daily, window_percentiles, window_starts
-- params: day, lookback_days
with windows as (
    select distinct unnest([7, $lookback_days::integer]) as window_days
),
totals as (
    select
        daily.resource_id,
        windows.window_days,
        daily.metric,
        count(*) as days,
        min(daily.day) as first_on,
        sum(daily.samples) as samples,
        min(daily.minimum) as minimum,
        max(daily.maximum) as maximum,
        -- Means are added as integers (1/65536 of a unit): the order of the days must not change the last digit.
        sum((daily.mean * 65536)::bigint * daily.samples::hugeint)::double / 65536 / sum(daily.samples) as mean,
        -- The finest interval of the window holds for all of it: a feed that now and then gives one sample an hour has gaps.
        min(daily.interval_seconds) as interval_seconds,
        sum(daily.covered_slots) as covered_slots
    from windows
    join utilization_daily as daily on daily.day > $day::date - windows.window_days and daily.day <= $day::date
    left join window_starts as starts using (resource_id)
    -- Percentages of another size say nothing about the present one, nor does the day of the change itself.
    where daily.day > coalesce(starts.changed_on, '1970-01-01'::date)
    group by daily.resource_id, windows.window_days, daily.metric
)
select
    totals.resource_id,
    totals.window_days::smallint as window_days,
    totals.metric,
    totals.days::smallint as days,
    totals.first_on,
    totals.samples::bigint as samples,
    totals.minimum,
    totals.maximum,
    totals.mean,
    -- A bin stands for a range; the exact extremes of the window bound it.
    case when percentiles.p50 is not null then greatest(totals.minimum, least(totals.maximum, percentiles.p50)) end as p50,
    case when percentiles.p95 is not null then greatest(totals.minimum, least(totals.maximum, percentiles.p95)) end as p95,
    case when percentiles.p99 is not null then greatest(totals.minimum, least(totals.maximum, percentiles.p99)) end as p99,
    case when percentiles.p995 is not null then greatest(totals.minimum, least(totals.maximum, percentiles.p995)) end as p995,
    totals.interval_seconds::smallint as interval_seconds,
    (totals.covered_slots * greatest(300, totals.interval_seconds) // 60)::integer as covered_minutes
from totals
left join window_percentiles as percentiles using (resource_id, window_days, metric)
