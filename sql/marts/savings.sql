-- purpose: Every change that was found safe, tonight or in the weeks before, with how far it has come and its money.
-- grain: resource_id, source
-- reads: proposals, proposal_outcomes, pull_requests, approval_requests, rightsizing_verdicts, resource_inventory, billed_costs
-- params: -
with pulls as (
    select
        unnest(
            case
                when changes is not null
                    then from_json(changes, '[{"resource_id": "VARCHAR", "attribute": "VARCHAR", "before": "VARCHAR", '
                        '"after": "VARCHAR", "savings_usd_month": "DOUBLE", "is_rollback": "BOOLEAN"}]')
                -- A night of an earlier version: which resources, but not what for.
                else list_transform(
                    from_json(resources, '["VARCHAR"]'),
                    lambda name: {'resource_id': name, 'attribute': null::varchar, 'before': null::varchar,
                        'after': null::varchar, 'savings_usd_month': null::double, 'is_rollback': null::boolean}
                )
            end,
            recursive := true
        ),
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
        opened_on as proposed_on,
        repository || '#' || number as decision,
        'pull_request' as route,
        risk
    from pull_requests
),
requests as (
    select
        unnest(
            from_json(changes, '[{"resource_id": "VARCHAR", "attribute": "VARCHAR", "before": "VARCHAR", "after": "VARCHAR", '
                '"savings_usd_month": "DOUBLE"}]'),
            recursive := true
        ),
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
        opened_on as proposed_on,
        'request:' || request_id as decision,
        'approval' as route,
        risk
    from approval_requests
    where not coalesce(is_rollback, false)
),
-- The furthest that a resource has come tonight; where two have come as far, the newer one. What was carried out is told of below:
-- a pull request is merged until all of its resources are live.
places as (
    select asked.*
    from (select * exclude (is_rollback) from pulls where not coalesce(is_rollback, false) union all by name select * from requests)
        as asked
    where not exists (
        select 1
        from proposal_outcomes as done
        where done.resource_id = asked.resource_id
          and (done.source = asked.decision
               or (done.applied_on is null and done.attribute = asked.attribute and not coalesce(done.is_rollback, false)))
    )
    qualify row_number() over (
        partition by asked.resource_id
        order by
            list_position(['approved', 'proposed', 'identified'], stage),
            proposed_on desc nulls last,
            reference nulls last,
            stage_note
    ) = 1
),
-- What people are asked, or have agreed to, that is not what is proposed tonight: another size, or nothing.
standing as (
    select places.*
    from places
    where stage in ('proposed', 'approved')
      and reference is not null
      and savings_usd_month is not null
      and not exists (
          select 1
          from proposals
          where proposals.resource_id = places.resource_id
            and proposals.attribute = places.attribute
            and proposals.value_after = places."after"
      )
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
    left join places
        on places.resource_id = proposals.resource_id
        -- Of an earlier version's nights it is not known what was asked, or for how much.
        and (places.savings_usd_month is null or (places.attribute = proposals.attribute and places."after" = proposals.value_after))
    left join rightsizing_verdicts as verdicts on verdicts.resource_id = proposals.resource_id
    left join billed_costs as bill on bill.resource_id = proposals.resource_id
    where proposals.verdict_code is distinct from 'rollback_after_emergency'
      and not exists (select 1 from standing where standing.resource_id = proposals.resource_id)
      -- What was carried out and is not live yet is proposed no second time, nor is another size in its place.
      and not exists (
          select 1
          from carried_out as earlier
          where earlier.resource_id = proposals.resource_id
            and earlier.attribute = proposals.attribute
            and earlier.applied_on is null
      )
),
asked_for as (
    select
        standing.resource_id,
        '' as source,
        verdicts.resource_type,
        verdicts.service,
        verdicts.team,
        verdicts.environment,
        verdicts.region,
        standing.attribute,
        standing."before" as value_before,
        standing."after" as value_after,
        standing.stage,
        coalesce(standing.stage_note || '; ', '')
            || case when verdicts.verdict = 'propose' then 'tonight another size is proposed' else 'not proposed again tonight' end
            as stage_note,
        standing.route,
        standing.risk,
        standing.reference,
        standing.reference_url,
        standing.proposed_on,
        null::date as applied_on,
        verdicts.current_usd_month,
        null::double as target_usd_month,
        bill.running_effective_usd_month as billed_usd_month,
        null::double as list_savings_usd_month,
        null::double as discount_pct,
        standing.savings_usd_month,
        null::double as cash_savings_usd_month,
        null::double as covered_pct,
        null::date as cash_from,
        null::double as realized_usd_month,
        null::boolean as regret
    from standing
    -- What is no longer there saves nothing.
    join rightsizing_verdicts as verdicts using (resource_id)
    left join billed_costs as bill using (resource_id)
),
everything as (
    select * from tonight
    union all by name
    select * from asked_for
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
