-- purpose: Capacity that the decision engine bought in incidents, and when it came back down; null = nothing took it away.
-- grain: incident_id, decision_id
-- reads: decision_audit, captured_events, incident_records, resource_inventory
-- params: day
with decided as (
    select decision_id, decision_at, target, action_type, outcome, is_dry_run, event_id, payload, incident_id, 1 as preference
    from decision_audit
    union all
    -- Decisions around incidents are captured from further back than the lake reaches.
    select
        source_event_id,
        occurred_at,
        target,
        payload ->> 'action_type',
        payload ->> 'outcome',
        coalesce((payload ->> 'is_dry_run')::boolean, false),
        payload ->> 'event_id',
        payload ->> 'action',
        incident_id,
        2
    from captured_events
    where lane = 'engine' and not is_deleted
),
steps as (
    -- What is not known to have happened bought nothing.
    select
        decision_id,
        decision_at,
        target,
        action_type,
        incident_id,
        case action_type when 'scale_up' then 1 when 'scale_down' then -1 end * nullif(regexp_extract(
            payload, '"(?:replicas|instances|members|capacity|desired_capacity|count)"\s*:\s*"?[+-]([0-9]{1,6})"?\s*[,}]', 1
        ), '')::integer as amount
    from (
        from decided
        qualify row_number() over (partition by decision_id order by preference) = 1
    )
    where action_type in ('scale_up', 'scale_down', 'rollback')
      and outcome = 'succeeded'
      and not coalesce(is_dry_run, false)
      and decision_at < $day::date + 1
    -- One telemetry event may be written down more than once.
    qualify coalesce(decision_at - lag(decision_at) over (
        partition by target, action_type, coalesce(event_id, decision_id) order by decision_at, decision_id
    ) >= interval 1 hour, true)
),
levels as (
    -- How far a target stands above where its first known decision found it. A rollback goes back by nobody knows how much.
    select *, sum(coalesce(amount, 0)) over (partition by target order by decision_at, decision_id) as level from steps
),
present as (
    select resource_id, resource_type, service from resource_inventory where day = $day::date
),
targets as (
    -- The one resource that a target stands for: itself, or the only group of a service.
    select target, resource_id, present.resource_type = 'autoscaling_group' as is_group
    from (select distinct target from steps) as named
    join present on present.resource_id = named.target
    union all
    select target, min(present.resource_id), true
    from (select distinct target from steps where target not in (select resource_id from present)) as named
    join present on present.service = named.target and present.resource_type = 'autoscaling_group'
    group by target
    having count(*) = 1
),
spoken_of as (
    select target, target as service from (select distinct target from steps)
    union
    select resource_id, service from present where service is not null
),
bought as (
    select
        records.incident_id,
        levels.* exclude (incident_id),
        coalesce(levels.incident_id = records.incident_id, false) as is_tagged
    from levels
    join spoken_of using (target)
    join incident_records as records
        on levels.incident_id = records.incident_id
        or (
            levels.incident_id is null
            and records.service = spoken_of.service
            and levels.decision_at between records.started_at and coalesce(records.ended_at, $day::date + 1)
        )
    where levels.action_type = 'scale_up' and coalesce(records.kind, 'normal') not in ('test', 'drill', 'scheduled')
    qualify row_number() over (
        partition by decision_id order by is_tagged desc, records.started_at desc, records.incident_id
    ) = 1
),
decided_back as (
    select bought.decision_id, min(later.decision_at) as back_at
    from bought
    join levels as later on later.target = bought.target and later.decision_at > bought.decision_at
    where later.action_type <> 'scale_up'
      and (later.amount is null or bought.amount is null or later.level <= bought.level - bought.amount)
    group by bought.decision_id
),
gone as (
    -- Machines that the group let go, one by one, after its service had more than it needed.
    select spoken_of.target, activity.occurred_at as gone_at
    from captured_events as activity
    join spoken_of on spoken_of.service = activity.service or spoken_of.target = activity.target
    where activity.lane = 'scaling'
      and activity.text like '%Terminating%'
      and activity.payload ->> 'outcome' = 'succeeded'
      and activity.occurred_at < $day::date + 1
    qualify row_number() over (partition by spoken_of.target, activity.source_event_id order by activity.version desc) = 1
),
let_go as (
    -- As many as were bought in the incident up to and with this decision.
    select bought.decision_id, any_value(owed.amount) as amount, list(gone.gone_at order by gone.gone_at) as times
    from bought
    join (
        select decision_id, sum(amount) over (partition by incident_id, target order by decision_at, decision_id) as amount
        from bought
    ) as owed using (decision_id)
    join gone on gone.target = bought.target and gone.gone_at > bought.decision_at
    group by bought.decision_id
),
sizes as (
    select targets.target, inventory.day, inventory.units
    from resource_inventory as inventory
    join targets using (resource_id)
    where targets.is_group and inventory.units is not null and inventory.day <= $day::date
),
snapshots as (
    -- What its group was before.
    select bought.decision_id, bought.target, max(sizes.day) as day, arg_max(sizes.units, sizes.day) as units
    from bought
    join sizes on sizes.target = bought.target and sizes.day < bought.decision_at::date
    where bought.amount is not null
    group by bought.decision_id, bought.target
),
before as (
    -- How far the decisions had raised it by then.
    select
        snapshots.decision_id,
        snapshots.units,
        coalesce(arg_max(earlier.level, (earlier.decision_at, earlier.decision_id)), 0) as level
    from snapshots
    left join levels as earlier on earlier.target = snapshots.target and earlier.decision_at < snapshots.day + 1
    group by snapshots.decision_id, snapshots.units
),
expected as (
    select
        bought.decision_id,
        bought.decision_at,
        bought.target,
        any_value(before.units + bought.level - before.level) as units,
        -- What later decisions added on top is not what was bought then.
        greatest(arg_max(last.level, (last.decision_at, last.decision_id)) - any_value(bought.level), 0)
            as added_since
    from bought
    join before using (decision_id)
    join levels as last on last.target = bought.target
    group by bought.decision_id, bought.decision_at, bought.target
),
measured as (
    select
        expected.decision_id,
        bool_or(sizes.units - expected.added_since >= expected.units) filter (where sizes.day = $day::date) as is_there,
        min(sizes.day) filter (where sizes.units < expected.units) as gone_on
    from expected
    join sizes on sizes.target = expected.target and sizes.day >= expected.decision_at::date
    group by expected.decision_id
),
settled as (
    select
        bought.*,
        targets.resource_id,
        coalesce(targets.is_group, false) as is_group,
        measured.is_there,
        case
            when measured.is_there then null
            when decided_back.back_at is not null then decided_back.back_at
            when len(let_go.times) >= let_go.amount then let_go.times[let_go.amount::integer]
            -- A snapshot tells of its day's end.
            else (measured.gone_on + 1)::timestamp
        end as came_back_at
    from bought
    left join targets using (target)
    left join decided_back using (decision_id)
    left join let_go using (decision_id)
    left join measured using (decision_id)
)
select
    resource_id,
    target,
    incident_id,
    decision_at as bought_at,
    decision_id,
    '+' || amount as amount,
    came_back_at,
    case
        when amount is null then 'Capacity was'
        else amount || case when is_group then ' member' else ' replica' end || case when amount = 1 then ' was' else 's were' end
    end
    || ' added to ' || target || strftime(decision_at, ' on %-d %B %Y at %H:%M UTC in ') || incident_id || ' and '
    || case
        when came_back_at is not null then
            case when amount > 1 then 'were' else 'was' end
            || strftime(came_back_at, ' gone again by %-d %B %Y at %H:%M UTC')
        when is_there then 'nothing took ' || case when amount > 1 then 'them' else 'it' end || ' away since'
        else 'no decision took ' || case when amount > 1 then 'them' else 'it' end || ' away since'
    end as story
from settled
