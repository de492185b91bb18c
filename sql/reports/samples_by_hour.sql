-- purpose: How many samples each hour of the day has, and of how many resources.
-- grain: hour
-- reads: utilization_samples
-- params: -
select
    hours.hour::integer as hour,
    count(samples.resource_id) as samples,
    count(distinct samples.resource_id) as resources
from range(24) as hours(hour)
left join utilization_samples as samples on extract(hour from samples.sampled_at) = hours.hour
group by hours.hour
order by hours.hour
