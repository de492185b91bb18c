-- purpose: The fleet in one row: resources, cost, and what waits for evidence.
-- grain: -
-- reads: rightsizing_verdicts
-- params: -
select
    count(*) as resources,
    count(current_usd_month) as priced_resources,
    -- A member's cost is part of its group's.
    coalesce(sum(current_usd_month) filter (reason_code <> 'refuse_group_member'), 0) as fleet_usd_month,
    coalesce(sum(savings_usd_month), 0) as savings_usd_month,
    count(*) filter (verdict = 'propose') as proposals_total,
    coalesce(sum(stake_usd_month) filter (verdict = 'insufficient'), 0) as waiting_usd_month,
    count(*) filter (verdict = 'insufficient') as waiting_resources,
    coalesce(max(lookback_days), 0) as history_days,
    count(*) filter (price_quality = 'imputed_linear') as imputed_prices,
    count(*) filter (discount_pct > 0) as discounted,
    -- Of the resources that had a verdict at the same size before, those whose proposal changed.
    count(is_flip) as compared_resources,
    count(*) filter (is_flip) as flips
from rightsizing_verdicts
