-- purpose: The proposals that save most, each with the way it goes.
-- grain: resource_id
-- reads: proposals
-- params: top
select resource_id, service, environment, value_before, value_after, savings_usd_month, risk, route
from proposals
order by savings_usd_month desc nulls last, resource_id
limit $top
