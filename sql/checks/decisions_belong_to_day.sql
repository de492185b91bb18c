-- purpose: Decisions outside of the partition's day.
-- grain: decision_id
-- reads: decision_audit
-- params: day
select decision_id, decision_at
from decision_audit
where decision_at::date <> $day::date
