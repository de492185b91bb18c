-- purpose: The decisions of a span of days. Without an id, a decision is known by what it says.
-- grain: decision_id
-- reads: decision_audit
-- params: span_start, span_end
select
    coalesce(decision_id, md5(concat_ws('|', decision_time, target, action_type, policy_id, event_id))) as decision_id,
    to_char(decision_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as decision_at,
    target,
    action_type,
    policy_id,
    policy_version,
    policy_name,
    event_id,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as event_at,
    metrics::text as metrics,
    payload::text as payload,
    outcome,
    outcome_reason,
    coalesce(dry_run, false) as is_dry_run,
    duration_ms,
    incident_id
from decision_audit
where decision_time >= $span_start and decision_time < $span_end
