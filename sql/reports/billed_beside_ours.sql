-- purpose: What the bill charges for each sized resource beside our price of it, and what only one of the two knows.
-- grain: resource_id
-- reads: billed_costs, rightsizing_verdicts, resource_inventory
-- params: resource_id
select
    resource_id,
    verdict.resource_id is not null as is_ours,
    billed.resource_id is not null as is_billed,
    verdict.service,
    coalesce(inventory.account_id, billed.sub_account_id) as account_id,
    inventory.created_at,
    coalesce(inventory.lifecycle = 'spot', false) as is_spot,
    verdict.current_type,
    verdict.current_usd_month as paid_usd_month,
    -- A verdict's price is after the discounts of the settings.
    verdict.current_usd_month / (1 - coalesce(verdict.discount_pct, 0) / 100) as list_usd_month,
    billed.running_list_usd_month,
    billed.running_contracted_usd_month,
    billed.running_effective_usd_month,
    billed.covered_hours,
    billed.committed_pct,
    billed.billed_type,
    billed.billed_types,
    billed.units,
    billed.other_usd,
    billed.charged_from,
    billed.charged_to,
    billed.on_demand_billed_usd,
    billed.on_demand_effective_usd
from rightsizing_verdicts as verdict
full join billed_costs as billed using (resource_id)
left join resource_inventory as inventory using (resource_id)
-- Volumes have no size that runs; what of a bill belongs to a machine that nobody lists has hours.
where coalesce(verdict.resource_type, '') <> 'ebs_volume'
  and (verdict.resource_id is not null or not billed.is_listed)
  and ($resource_id::varchar is null or resource_id = $resource_id)
order by resource_id
