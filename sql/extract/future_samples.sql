-- purpose: Samples that claim to come from the future.
-- grain: resource_id
-- reads: utilization
-- params: after
select coalesce(resource_id, '') as resource_id, count(*) as rejected_rows, min(timestamp) as first_at
from utilization
where timestamp > $after
group by 1
