-- purpose: Every change that was found safe, tonight or in the weeks before, with how far it has come and its money.
-- grain: resource_id, source
-- reads: proposals, proposal_outcomes, pull_requests, approval_requests, rightsizing_verdicts, resource_inventory, billed_costs
-- params: -
with pulls as (
    select
        unnest(from_json(resources, '["VARCHAR"]')) as resource_id,
        null::varchar as attribute,
        case
            when state in ('open', 'frozen', 'opening', 'closing', 'outbox') then 'proposed'
            when state in ('merged', 'applied') then 'approved'
            else 'identified'
        end as stage,
        case state
            when 'outbox' then 'lies in the outbox as a patch: there are no credentials'
            when 'merged' then 'merged, and not live yet'
            when 'applied' then 'applied, and not live yet'
            when 'frozen' then 'its pull request is left alone'
            when 'waiting' then detail
            when 'planned' then 'a dry run: ' || detail
            when 'failed' then 'failed: ' || detail
            when 'open' then 'waits for a review'
            else 'its pull request is ' || state
        end as stage_note,
        case when number > 0 then repository || '#' || number end as reference,
        url as reference_url,
        opened_on as proposed_on
    from pull_requests
),
requests as (
    select
        unnest(from_json(changes, '[{"resource_id": "VARCHAR", "attribute": "VARCHAR"}]'), recursive := true),
        case
            when state = 'pending' then 'proposed'
            when state in ('approved', 'executing', 'executed') then 'approved'
            else 'identified'
        end as stage,
        case
            when state = 'pending' then missing
            when state = 'approved' then 'waits for its maintenance window'
            when state = 'executing' then 'is being applied'
            when state = 'executed' then 'applied, and not live yet'
            when state = 'waiting' then detail
            else 'its request is ' || replace(state, '_', ' ')
        end as stage_note,
        nullif(request_id, '') as reference,
        null::varchar as reference_url,
        opened_on as proposed_on
    from approval_requests
    where not coalesce(is_rollback, false)
),
-- The furthest that a resource has come tonight; where two have come as far, the newer one.
places as (
    select *
    from (select * from pulls union all by name select * from requests)
    qualify row_number() over (
        partition by resource_id
        order by
            list_position(['approved', 'proposed', 'identified'], stage),
            proposed_on desc nulls last,
            reference nulls last,
            stage_note
    ) = 1
),
carried_out as (
    select
        outcomes.resource_id,
        outcomes.source,
        outcomes.resource_type,
        outcomes.service,
        outcomes.team,
        outcomes.environment,
        outcomes.region,
        outcomes.attribute,
        outcomes.value_before,
        outcomes.value_after,
        case
            when applied_on is null then 'approved'
            when realized_usd_month is null then 'applied'
            else 'realized'
        end as stage,
        case
            when applied_on is null then 'carried out, and no inventory shows it yet'
            when regret then 'regret: ' || coalesce(regret_reason, 'reason unknown')
            when is_reversed then 'taken back'
            when superseded_on is not null then 'gave way to a further step'
            when realized_usd_month is null then 'live, and not known what it saves'
            else 'live'
        end as stage_note,
        null::varchar as route,
        outcomes.risk,
        null::varchar as reference,
        null::varchar as reference_url,
        null::date as proposed_on,
        applied_on,
        null::double as current_usd_month,
        null::double as target_usd_month,
        bill.running_effective_usd_month as billed_usd_month,
        null::double as list_savings_usd_month,
        null::double as discount_pct,
        estimated_usd_month as savings_usd_month,
        null::double as cash_savings_usd_month,
        null::double as covered_pct,
        null::date as cash_from,
        realized_usd_month,
        regret
    from proposal_outcomes as outcomes
    left join billed_costs as bill using (resource_id)
    where not coalesce(is_rollback, false)
),
tonight as (
    select
        proposals.resource_id,
        '' as source,
        proposals.resource_type,
        proposals.service,
        proposals.team,
        proposals.environment,
        proposals.region,
        proposals.attribute,
        proposals.value_before,
        proposals.value_after,
        -- Report only: what lies in the outbox shows what would be opened, and nobody is asked.
        case
            when proposals.mode = 'report_only' and places.reference is null then 'identified'
            else coalesce(places.stage, 'identified')
        end as stage,
        case
            when proposals.mode = 'report_only' and places.reference is null
                then coalesce(proposals.held_back, 'report only: pull requests are not allowed for it')
            else coalesce(
                places.stage_note,
                proposals.held_back,
                case when proposals.route = 'by_hand' then proposals.edit_sentence end,
                'not asked for yet'
            )
        end as stage_note,
        proposals.route,
        proposals.risk,
        places.reference,
        places.reference_url,
        places.proposed_on,
        null::date as applied_on,
        verdicts.current_usd_month,
        verdicts.candidate_usd_month as target_usd_month,
        bill.running_effective_usd_month as billed_usd_month,
        proposals.list_savings_usd_month,
        verdicts.discount_pct,
        proposals.savings_usd_month,
        proposals.cash_savings_usd_month,
        proposals.covered_pct,
        proposals.cash_from,
        null::double as realized_usd_month,
        null::boolean as regret
    from proposals
    left join places using (resource_id)
    left join rightsizing_verdicts as verdicts using (resource_id)
    left join billed_costs as bill using (resource_id)
    where proposals.verdict_code is distinct from 'rollback_after_emergency'
      -- What was carried out and is not live yet is proposed no second time.
      and not exists (
          select 1
          from carried_out as earlier
          where earlier.resource_id = proposals.resource_id
            and earlier.attribute = proposals.attribute
            and earlier.value_after = proposals.value_after
            and earlier.applied_on is null
      )
),
everything as (
    select * from tonight
    union all by name
    select * from carried_out
)
select
    everything.resource_id,
    everything.source,
    everything.resource_type,
    everything.service,
    everything.team,
    everything.environment,
    inventory.account_id,
    everything.region,
    inventory.units,
    everything.* exclude (resource_id, source, resource_type, service, team, environment, region)
from everything
left join resource_inventory as inventory using (resource_id)
