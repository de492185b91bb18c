-- purpose: Proposals and money by the way they go.
-- grain: route
-- reads: proposals
-- params: -
select route, count(*) as proposals, coalesce(sum(savings_usd_month), 0) as savings_usd_month
from proposals
group by route
order by savings_usd_month desc, route
