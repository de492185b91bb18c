-- purpose: Capacity of a resource, or of its service where that alone was named, that incidents left behind.
-- grain: incident_id, decision_id
-- reads: kept_capacity
-- params: resource_id, service
select story
from kept_capacity
where came_back_at is null
  and (resource_id = $resource_id or (resource_id is null and target = $service))
order by bought_at, decision_id
