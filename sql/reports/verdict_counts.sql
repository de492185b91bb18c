-- purpose: Resources and money by verdict.
-- grain: verdict
-- reads: rightsizing_verdicts
-- params: -
select verdict, count(*) as resources, coalesce(sum(stake_usd_month), 0) as usd_month
from rightsizing_verdicts
group by verdict
