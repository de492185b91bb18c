-- purpose: What was decided about some names since a moment, and may have needed the capacity: all but what asks for less or nothing.
-- grain: decision_time, target, action_type
-- reads: decision_audit
-- params: since, names
select
    decision_time,
    target,
    action_type
from decision_audit
where decision_time >= $since
  and target = any($names::text[])
  and not coalesce(dry_run, false)
  and coalesce(outcome, '') not in ('failed', 'skipped')
  and coalesce(action_type, '') not in ('scale_down', 'notify', 'no_action')
order by decision_time, target, action_type
limit 20
