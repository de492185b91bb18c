-- purpose: The proposals that are worth most: savings less what may go wrong.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: top
select *
from rightsizing_verdicts
where verdict = 'propose'
order by expected_usd_month desc, savings_usd_month desc, resource_id
limit $top
