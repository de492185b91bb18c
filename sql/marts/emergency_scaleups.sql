-- purpose: Scale-ups that really happened in the veto window, for every resource that they speak of.
-- grain: resource_id, decision_at, decision_id
-- reads: weighed_decisions, resource_names
-- params: day_end, veto_days
select
    names.resource_id,
    decided.decision_at,
    decided.decision_id,
    decided.target,
    arg_min(names.matched_by, names.closeness) as matched_by,
    any_value(decided.action_type) as action_type,
    any_value(decided.policy_id) as policy_id
from weighed_decisions as decided
join resource_names as names on names.name = decided.target
where decided.set_aside is null
  and decided.decision_at >= $day_end::timestamp - to_days($veto_days::integer)
  and decided.decision_at < $day_end::timestamp
group by names.resource_id, decided.decision_at, decided.decision_id, decided.target
