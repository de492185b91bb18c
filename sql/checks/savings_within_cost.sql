-- purpose: Proposals that would save more than the resource costs, or nothing at all.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: -
select resource_id, savings_usd_month, current_usd_month
from rightsizing_verdicts
where (verdict = 'propose' and not coalesce(savings_usd_month > 0 and savings_usd_month < current_usd_month, false))
   or (verdict <> 'propose' and savings_usd_month <> 0)
