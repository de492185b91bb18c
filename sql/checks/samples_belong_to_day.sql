-- purpose: Samples outside of the partition's day.
-- grain: resource_id, sampled_at
-- reads: utilization_samples
-- params: day
select resource_id, sampled_at
from utilization_samples
where sampled_at::date <> $day::date
