-- purpose: Clusters of emergency decisions about one service, close together, that no incident covers: what somebody may have lived through without declaring it. Blocked and failed decisions count too: the condition was there.
-- grain: service, started_at
-- reads: decision_audit, resource_names, incident_spans
-- params: decisions, minutes, day_end
with emergencies as (
    select
        decision.decision_id,
        decision.decision_at,
        decision.action_type,
        coalesce(names.service, decision.target) as service,
        decision.outcome = 'succeeded' as is_success
    from decision_audit as decision
    left join (
        select names.name, min(owner.name) as service
        from resource_names as names
        join resource_names as owner on owner.resource_id = names.resource_id and owner.matched_by = 'service'
        where names.matched_by <> 'service'
        group by names.name
    ) as names on names.name = decision.target
    where not coalesce(decision.is_dry_run, false)
      and decision.decision_at < $day_end::timestamp
      and decision.incident_id is null
      and decision.action_type in (
          'scale_up', 'circuit_break', 'rollback', 'kill_switch', 'failover', 'shift_traffic', 'apply_throttling', 'restart'
      )
    -- Two replicas of the engine may take the same event.
    qualify row_number() over (
        partition by coalesce(decision.event_id, decision.decision_id), decision.target, decision.action_type
        order by decision.decision_at, decision.decision_id
    ) = 1
),
marked as (
    select
        *,
        decision_at - lag(decision_at) over (partition by service order by decision_at, decision_id)
            <= to_minutes($minutes::integer) as is_near
    from emergencies
),
numbered as (
    select
        *,
        sum(case when is_near then 0 else 1 end) over (partition by service order by decision_at, decision_id) as cluster
    from marked
),
clusters as (
    select
        service,
        min(decision_at) as started_at,
        max(decision_at) as ended_at,
        count(*)::integer as decisions,
        count(*) filter (where is_success)::integer as succeeded,
        list(distinct action_type order by action_type) as actions
    from numbered
    group by service, cluster
    having count(*) >= $decisions::integer
)
select clusters.*
from clusters
where not exists (
    from incident_spans as span
    where list_contains(span.services, clusters.service)
      and span.from_at <= clusters.ended_at
      and span.to_at >= clusters.started_at
)
order by service, started_at
