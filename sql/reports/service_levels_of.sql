-- purpose: Good and total events of one objective around an incident, as fine as they were captured; the newest capture counts.
-- grain: sampled_at
-- reads: captured_service_levels
-- params: service, name, starts_at, ends_at
select sampled_at, good, total
from captured_service_levels
where service = $service and name = $name
  and sampled_at >= $starts_at::timestamp and coalesce(sampled_at <= $ends_at::timestamp, true)
qualify row_number() over (partition by sampled_at order by day desc) = 1
order by sampled_at
