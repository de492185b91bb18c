-- purpose: Window statistics that contradict each other.
-- grain: resource_id, window_days, metric
-- reads: utilization_window
-- params: -
select resource_id, window_days, metric
from utilization_window
where not (minimum <= p50 and p50 <= p95 and p95 <= p99 and p99 <= p995 and p995 <= maximum and mean between minimum - 1e-4 and maximum + 1e-4)
