-- purpose: The chance of exceeding the new size that the verdicts of a day state for what they propose.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: -
select resource_id, target_type, exceedance_pct
from rightsizing_verdicts
where verdict = 'propose' and exceedance_pct is not null
order by resource_id
