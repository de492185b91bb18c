-- purpose: Samples after the day that claim to come from the future.
-- grain: resource_id
-- reads: utilization
-- params: now, day_end
select coalesce(resource_id, '') as resource_id, count(*) as rejected_rows, min(timestamp) as first_at
from utilization
where timestamp > $now and timestamp >= $day_end
group by 1
