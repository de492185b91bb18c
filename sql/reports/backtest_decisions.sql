-- purpose: Every decision of an export with its moment, and why it is no emergency scale-up (null = it is one).
-- grain: decision_id
-- reads: weighed_decisions
-- params: -
select decision_id, target, epoch(decision_at)::bigint as decided_second, set_aside
from weighed_decisions
order by decided_second, decision_id
