-- purpose: How many samples each hour of the day has, also one that has none.
-- grain: hour
-- reads: utilization_samples
-- params: -
with counted as (
    select extract(hour from sampled_at)::integer as hour, count(*) as samples
    from utilization_samples
    group by all
)
select hours.hour::integer as hour, coalesce(counted.samples, 0) as samples
from range(24) as hours(hour)
left join counted using (hour)
order by hour
