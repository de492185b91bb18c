-- purpose: Samples that the verdicts stand on.
-- grain: -
-- reads: utilization_window
-- params: lookback_days
select coalesce(sum(samples), 0)::bigint as samples, coalesce(max(days), 0) as days
from utilization_window
where window_days = $lookback_days and metric = 'cpu_avg_pct'
