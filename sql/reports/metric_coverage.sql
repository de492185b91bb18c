-- purpose: How much of the last seven days each metric covers, over the resources that should have it.
-- grain: metric
-- reads: resource_inventory, utilization_window
-- params: metrics
with measurable as (
    select resource_id from resource_inventory where resource_type in ('ec2_instance', 'autoscaling_group', 'rds_instance')
)
select
    wanted.metric,
    count(measurable.resource_id) as resources_measured,
    (select count(*) from measurable) as resources,
    coalesce(sum(100.0 * covered_minutes / (7 * 1440)) filter (measurable.resource_id is not null), 0) / greatest(1, (select count(*) from measurable)) as mean_coverage_pct
from (select unnest($metrics::varchar[]) as metric) as wanted
left join utilization_window on utilization_window.metric = wanted.metric and window_days = 7
left join measurable using (resource_id)
group by wanted.metric
