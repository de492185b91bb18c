-- purpose: The CPU of some resources sample by sample, with the minutes that each lasts, in order of time.
-- grain: resource_id
-- reads: utilization_samples
-- params: resource_ids
with samples as (
    select
        resource_id,
        sampled_at,
        -- Credits are spent on what was used over the interval, not on its peak.
        cpu_avg_pct,
        date_diff('second', sampled_at, lead(sampled_at) over (partition by resource_id order by sampled_at)) / 60.0 as gap_minutes
    from utilization_samples
    where resource_id in (select unnest($resource_ids::varchar[]))
)
select
    resource_id,
    list(cpu_avg_pct::double order by sampled_at) as cpu_pct,
    -- A gap is no load: a sample lasts until the next one, at most a quarter of an hour.
    list(least(coalesce(gap_minutes, 5), 15)::double order by sampled_at) as minutes
from samples
where cpu_avg_pct is not null
group by resource_id
order by resource_id
