-- purpose: Resources that have a page of their own: proposed, carried out, or refused by replay; those that are worth most first.
-- grain: resource_id
-- reads: rightsizing_verdicts, savings
-- params: top, reason_codes
with followed as (
    -- Tonight's proposal before what was carried out earlier; of those the newest.
    select
        resource_id,
        arg_min({stage: stage, stage_note: stage_note, reference: reference, reference_url: reference_url}, place) as newest,
        list({source: source, stage: stage, stage_note: stage_note, value_before: value_before, value_after: value_after,
              applied_on: applied_on, savings_usd_month: savings_usd_month, realized_usd_month: realized_usd_month}
             order by place) filter (source <> '') as carried_out
    from (
        select *, row_number() over (partition by resource_id order by source <> '', applied_on desc nulls first, source) as place
        from savings
    )
    group by resource_id
)
select
    verdicts.*,
    followed.newest.stage as stage,
    followed.newest.stage_note as stage_note,
    followed.newest.reference as reference,
    followed.newest.reference_url as reference_url,
    followed.carried_out
from rightsizing_verdicts as verdicts
left join followed using (resource_id)
where verdicts.verdict = 'propose'
   or followed.resource_id is not null
   or list_contains($reason_codes::varchar[], verdicts.reason_code)
order by
    case when verdicts.verdict = 'propose' then 0 when followed.resource_id is not null then 1 else 2 end,
    coalesce(verdicts.expected_usd_month, 0) desc,
    coalesce(verdicts.stake_usd_month, 0) desc,
    verdicts.resource_id
limit $top
