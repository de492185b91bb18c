-- purpose: Every decision of an export, and why it is no emergency scale-up (null = it is one).
-- grain: decision_id
-- reads: weighed_decisions
-- params: -
select decision_id, target, set_aside
from weighed_decisions
order by decision_at, decision_id
