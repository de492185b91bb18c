-- purpose: Capacity that was added in incidents and is still there.
-- grain: incident_id, decision_id
-- reads: kept_capacity
-- params: -
select story
from kept_capacity
where came_back_at is null
order by bought_at, decision_id
