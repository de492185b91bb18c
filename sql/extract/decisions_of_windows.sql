-- purpose: The decisions of some stretches of time, which do not overlap. Without an id, a decision is known by what it says.
-- grain: decision_id
-- reads: decision_audit
-- params: starts, ends
select
    coalesce(decision_id, md5(concat_ws('|', decision_time, target, action_type, policy_id, event_id))) as decision_id,
    decision_time as decision_at,
    target,
    action_type,
    policy_id,
    policy_version,
    policy_name,
    event_id,
    event_time as event_at,
    metrics::text as metrics,
    payload::text as payload,
    outcome,
    outcome_reason,
    coalesce(dry_run, false) as is_dry_run,
    duration_ms,
    incident_id
from unnest($starts::timestamptz[], $ends::timestamptz[]) as stretch (starts_at, ends_at)
join decision_audit on decision_time >= stretch.starts_at and decision_time < stretch.ends_at
where target is not null
