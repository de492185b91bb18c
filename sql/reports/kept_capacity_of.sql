-- purpose: Capacity that was bought in one incident, with what a member of its group costs by the day's verdicts.
-- grain: decision_id
-- reads: kept_capacity, rightsizing_verdicts
-- params: incident_id
select
    kept.decision_id,
    kept.target,
    kept.bought_at,
    kept.amount,
    kept.came_back_at,
    kept.story,
    verdicts.current_usd_month / nullif(verdicts.units, 0) as usd_month_each
from kept_capacity as kept
left join rightsizing_verdicts as verdicts
    on verdicts.resource_id = kept.resource_id and verdicts.resource_type = 'autoscaling_group'
where kept.incident_id = $incident_id
order by kept.bought_at, kept.decision_id
