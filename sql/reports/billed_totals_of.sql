-- purpose: What the bill charges in all, by kind, and how far it reaches.
-- grain: kind
-- reads: billed_totals
-- params: -
select
    kind,
    sum(rows)::bigint as rows,
    max(charged_to) as charged_to,
    -- One account's unknown is the sum's too.
    case when bool_and(billed_usd is not null) then sum(billed_usd order by sub_account_id) end as billed_usd,
    case when bool_and(effective_usd is not null) then sum(effective_usd order by sub_account_id) end as effective_usd
from billed_totals
group by kind
order by kind
