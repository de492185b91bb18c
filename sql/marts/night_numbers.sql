-- purpose: The headline numbers of a night; what each is stands in the registry of night numbers.
-- grain: name
-- reads: rightsizing_verdicts, savings, proposal_outcomes, pull_requests, approval_requests, utilization_window, resource_inventory, incident_records, incident_summaries, postmortems, action_item_metrics
-- params: day, week_days, cost_days, unknown
with fleet as (
    select
        count(*)::double as resources,
        count(current_usd_month)::double as priced_resources,
        -- Without any price a sum is not known; of nothing it is nothing. A member's cost is part of its group's.
        case when count(*) = 0 then 0
             else sum(current_usd_month) filter (reason_code <> 'refuse_group_member') end::double as fleet_usd_month,
        case when count(*) filter (verdict <> 'keep') = 0 then 0
             else sum(stake_usd_month) filter (verdict <> 'keep') end::double as could_save_usd_month,
        (count(*) filter (verdict = 'propose'))::double as proposals,
        coalesce(sum(savings_usd_month) filter (verdict = 'propose'), 0)::double as safe_usd_month,
        coalesce(sum(list_savings_usd_month) filter (verdict = 'propose'), 0)::double as safe_list_usd_month,
        -- Null where nobody asked which commitments there are.
        (sum(cash_savings_usd_month) filter (verdict = 'propose'))::double as cash_usd_month,
        (count(*) filter (verdict = 'refuse'))::double as refused_resources,
        case when count(*) filter (verdict = 'refuse') = 0 then 0
             else sum(stake_usd_month) filter (verdict = 'refuse') end::double as refused_usd_month,
        (count(*) filter (verdict = 'insufficient'))::double as waiting_resources,
        case when count(*) filter (verdict = 'insufficient') = 0 then 0
             else sum(stake_usd_month) filter (verdict = 'insufficient') end::double as waiting_usd_month,
        (count(*) filter (verdict = 'keep'))::double as kept_resources
    from rightsizing_verdicts
),
money as (
    select
        coalesce(sum(savings_usd_month), 0)::double as identified_usd_month,
        coalesce(sum(savings_usd_month) filter (stage <> 'identified'), 0)::double as proposed_usd_month,
        coalesce(sum(savings_usd_month) filter (stage in ('approved', 'applied', 'realized')), 0)::double as approved_usd_month,
        coalesce(sum(savings_usd_month) filter (stage in ('applied', 'realized')), 0)::double as applied_usd_month,
        coalesce(sum(savings_usd_month) filter (stage = 'realized'), 0)::double as known_usd_month,
        -- Null where something is live and nobody knows what any of it saves.
        case when count(*) filter (stage in ('applied', 'realized')) = 0 then 0
             else sum(realized_usd_month) filter (stage = 'realized') end::double as realized_usd_month,
        (count(*) filter (regret))::double as regrets
    from savings
),
week as (
    select (count(*) filter (
        applied_on > $day::date - $week_days::integer and applied_on <= $day::date and not coalesce(is_rollback, false)
    ))::double as applied_week
    from proposal_outcomes
),
-- What was asked in the nights of the week, each as the last of them knew it.
asked as (
    select repository || '#' || number as ident, arg_max(state, day) as state, max(opened_on) as opened_on, max(day) as seen_on
    from pull_requests
    where number > 0
    group by repository, number
    union all
    select request_id, arg_max(state, day), max(opened_on), max(day)
    from approval_requests
    where request_id <> ''
    group by request_id
),
people as (
    select
        (count(*) filter (state in ('open', 'frozen', 'pending') and seen_on = $day::date))::double as waiting_answers,
        (count(*) filter (is_recent))::double as asked_week,
        -- Failed and rolled back: people had agreed.
        (count(*) filter (
            is_recent and state in ('merged', 'applied', 'approved', 'executing', 'executed', 'failed', 'rolled_back')
        ))::double as agreed_week,
        (count(*) filter (is_recent and state in ('rejected', 'reverted')))::double as declined_week,
        -- Closed: by ourselves, because it was no longer proposed.
        (count(*) filter (is_recent and state in ('closed', 'expired', 'withdrawn', 'snoozed')))::double as lapsed_week
    from (select *, coalesce(opened_on > $day::date - $week_days::integer, false) as is_recent from asked)
),
machines as (
    select resource_id from resource_inventory where resource_type in ('ec2_instance', 'autoscaling_group', 'rds_instance')
),
covered as (
    select
        -- Averages and maxima inside the interval both say that it was measured.
        resource_id,
        max(covered_minutes) filter (metric in ('cpu_avg_pct', 'cpu_max_pct')) as cpu,
        max(covered_minutes) filter (metric in ('mem_avg_pct', 'mem_max_pct')) as memory
    from utilization_window
    where window_days = $week_days
    group by resource_id
),
coverage as (
    -- Null where there is nothing that could be measured.
    select
        avg(coalesce(cpu, 0) * 100.0 / ($week_days * 1440))::double as cpu_coverage_pct,
        avg(coalesce(memory, 0) * 100.0 / ($week_days * 1440))::double as memory_coverage_pct
    from machines
    left join covered using (resource_id)
),
incidents as (
    select *, (origin = 'decision_audit') as is_undeclared from incident_records where started_at is not null
),
incident_counts as (
    select
        (count(*) filter (
            counts_in_metrics and not is_undeclared and started_at >= ($day::date + 1 - $week_days::integer)::timestamp
        ))::double as incidents_week,
        (count(*) filter (is_open and not is_undeclared))::double as incidents_open,
        (count(*) filter (
            is_undeclared and started_at >= ($day::date + 1 - $week_days::integer)::timestamp
        ))::double as incidents_undeclared,
        (count(*) filter (
            counts_in_metrics and not is_undeclared and started_at >= ($day::date + 1 - $cost_days::integer)::timestamp
        ))::double as incidents_cost_window
    from incidents
),
costs as (
    -- A sum of nothing is not known; of no incident it is nothing.
    select
        case when count(*) = 0 then 0 else sum(postmortems.cost_expected_usd) end::double as incident_cost_usd,
        count(postmortems.cost_expected_usd)::double as incidents_costed
    from incidents
    left join postmortems using (incident_id)
    where counts_in_metrics
      and not is_undeclared
      and started_at >= ($day::date + 1 - $cost_days::integer)::timestamp
),
restoring as (
    select max(median_minutes)::double as median_restore_minutes
    from incident_summaries
    where period = 'latest' and severity = '*' and service = '*' and metric_id = 'ttrst' and clock = 'wall'
),
items as (
    select
        coalesce(max("open") filter (scope = 'all'), 0)::double as action_items_open,
        coalesce(max(overdue) filter (scope = 'all'), 0)::double as action_items_overdue
    from action_item_metrics
),
numbers as (
    select *
    from fleet, money, week, people, coverage, incident_counts, costs, restoring, items
)
-- Sums of many numbers depend on their order in the last digits; cents do not. What a night has no table for is not known.
select name, case when not list_contains($unknown::varchar[], name) then round(value, 6) end as value
from numbers unpivot include nulls (value for name in (columns(*)))
