-- purpose: The last emergency scale-ups that speak of one resource.
-- grain: decision_id
-- reads: emergency_scaleups
-- params: resource_id, top
select decision_at, target, matched_by, policy_id
from emergency_scaleups
where resource_id = $resource_id
order by decision_at desc, decision_id
limit $top
