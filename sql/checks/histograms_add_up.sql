-- purpose: Histograms that do not hold exactly the day's samples.
-- grain: resource_id, metric
-- reads: utilization_daily
-- params: -
select resource_id, metric, samples, list_sum(counts) as counted
from utilization_daily
where list_sum(counts) is distinct from samples
