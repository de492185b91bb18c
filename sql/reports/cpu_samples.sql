-- purpose: The CPU of some resources at their present size sample by sample, with the minutes that each lasts, in order of time.
-- grain: resource_id
-- reads: utilization_samples, resource_inventory
-- params: resource_ids
with samples as (
    select
        read.resource_id,
        read.sampled_at,
        -- Credits are spent on what was used over the interval, not on its peak.
        read.cpu_avg_pct,
        date_diff('second', read.sampled_at, lead(read.sampled_at) over (partition by read.resource_id order by read.sampled_at)) / 60.0 as gap_minutes
    from utilization_samples as read
    join resource_inventory as inventory using (resource_id)
    where read.resource_id in (select unnest($resource_ids::varchar[]))
      -- Percentages of another size say nothing about the present one.
      and read.sampled_at::date > coalesce(inventory.config_changed_at::date, '1970-01-01'::date)
)
select
    resource_id,
    list(cpu_avg_pct::double order by sampled_at) as cpu_pct,
    -- A gap is no load: a sample lasts until the next one, at most three of the feed's intervals and an hour.
    list(least(coalesce(gap_minutes, usual_minutes, 5), 3 * coalesce(usual_minutes, 5), 60)::double order by sampled_at) as minutes
from (select *, median(gap_minutes) over (partition by resource_id) as usual_minutes from samples) as paced
where cpu_avg_pct is not null
group by resource_id
order by resource_id
