-- purpose: The proposals that save most.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: top
select *
from rightsizing_verdicts
where verdict = 'propose'
order by savings_usd_month desc, resource_id
limit $top
