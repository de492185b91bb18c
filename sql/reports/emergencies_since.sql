-- purpose: The emergency scale-ups since a moment that speak of some resources, each once however many nights list it.
-- grain: resource_id, decision_id
-- reads: emergency_scaleups
-- params: resource_ids, since_at
select
    resource_id,
    decision_id,
    min(decision_at) as decision_at,
    min(target) as target
from emergency_scaleups
where resource_id in (select unnest($resource_ids::varchar[]))
  and decision_at >= $since_at::timestamp
group by resource_id, decision_id
order by resource_id, decision_at, decision_id
