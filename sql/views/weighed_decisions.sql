-- purpose: Every decision, and why it is no emergency scale-up; null = it is one.
-- grain: decision_id
-- reads: decision_audit
-- params: -
with weighed as (
    select
        *,
        case
            when action_type in (
                'scale_down', 'circuit_break', 'rollback', 'kill_switch', 'failover', 'shift_traffic', 'apply_throttling', 'restart',
                'notify', 'no_action'
            ) then 'other_action'
            when is_dry_run then 'dry_run'
            when outcome in ('failed', 'skipped') then 'failed_or_skipped'
            -- An unknown outcome or action counts: what is not known cannot make a cut safe.
        end as reason
    from decision_audit
)
select
    decision_id,
    decision_at,
    target,
    action_type,
    policy_id,
    policy_name,
    case
        when reason is not null then reason
        -- One telemetry event may be written down more than once; it is one emergency. Events that are told by the name of their
        -- rule come back later, and then something happened again.
        when decision_at - lag(decision_at) over (
            partition by reason, target, coalesce(event_id, decision_id) order by decision_at, decision_id
        ) < interval 1 hour then 'duplicate_event'
    end as set_aside
from weighed
