-- purpose: How much of what is proposed is cash, how much commitments go on being paid for, and of how much nobody knows, in one row.
-- grain: -
-- reads: rightsizing_verdicts
-- params: resource_ids
with proposed as (
    select *, savings_usd_month - cash_savings_usd_month as covered_usd_month
    from rightsizing_verdicts
    where verdict = 'propose'
      -- Null: all of them.
      and ($resource_ids::varchar[] is null or resource_id in (select unnest($resource_ids::varchar[])))
)
select
    coalesce(sum(savings_usd_month), 0) as savings_usd_month,
    coalesce(sum(list_savings_usd_month), 0) as list_savings_usd_month,
    count(*) filter (discount_pct > 0) as discounted,
    count(*) filter (cash_basis = 'commitments') as under_commitments,
    coalesce(sum(cash_savings_usd_month), 0) as cash_usd_month,
    coalesce(sum(covered_usd_month), 0) as covered_usd_month,
    min(cash_from) as first_ends_on,
    max(cash_from) as last_ends_on,
    count(*) filter (covered_pct > 0 and cash_from is null) as without_end,
    count(*) filter (cash_basis = 'not read') as unread,
    coalesce(sum(savings_usd_month) filter (cash_basis = 'not read'), 0) as unread_usd_month,
    count(*) filter (cash_basis = 'unknown') as unknown,
    coalesce(sum(savings_usd_month) filter (cash_basis = 'unknown'), 0) as unknown_usd_month
from proposed
