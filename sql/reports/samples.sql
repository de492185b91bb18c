-- purpose: Samples that the verdicts stand on, and measured resources that no inventory lists.
-- grain: -
-- reads: utilization_window, resource_inventory
-- params: lookback_days
with measured as (
    select resource_id, samples, days
    from utilization_window
    where window_days = $lookback_days and metric = 'cpu_avg_pct'
),
unlisted as (
    select resource_id from measured anti join resource_inventory using (resource_id)
)
select
    coalesce(sum(samples), 0)::bigint as samples,
    coalesce(max(days), 0) as days,
    (select count(*) from unlisted) as unlisted,
    (select min(resource_id) from unlisted) as unlisted_example
from measured
