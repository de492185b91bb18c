-- purpose: The last emergency scale-ups that speak of each of some resources.
-- grain: resource_id
-- reads: emergency_scaleups
-- params: resource_ids, top
with ranked as (
    select
        resource_id,
        decision_at,
        target,
        matched_by,
        policy_id,
        row_number() over (partition by resource_id order by decision_at desc, decision_id) as place
    from emergency_scaleups
    where resource_id in (select unnest($resource_ids::varchar[]))
)
select
    resource_id,
    list({decision_at: decision_at, target: target, matched_by: matched_by, policy_id: policy_id} order by place) as emergencies
from ranked
where place <= $top
group by resource_id
order by resource_id
