-- purpose: What AWS's own advisers said on the day, of every resource or of one, each beside its verdict.
-- grain: resource_id, source
-- reads: second_opinions, rightsizing_verdicts
-- params: resource_id
select
    opinion.resource_id,
    opinion.source,
    opinion.is_known and verdict.resource_id is not null as is_known,
    opinion.account_id,
    opinion.region,
    opinion.resource_type,
    opinion.arn,
    opinion.finding,
    opinion.reason_codes,
    opinion.current_type,
    opinion.recommended_type,
    opinion.performance_risk,
    opinion.is_idle,
    opinion.savings_usd_month,
    opinion.savings_after_discounts_usd_month,
    opinion.lookback_days,
    opinion.as_of,
    verdict.service,
    verdict.team,
    verdict.environment,
    verdict.verdict,
    verdict.reason_code,
    verdict.deciding_value,
    verdict.deciding_limit,
    verdict.deciding_text,
    verdict.current_type as our_current_type,
    verdict.target_type,
    verdict.target_minimum_size,
    -- Theirs are at list price too.
    coalesce(verdict.list_savings_usd_month, verdict.savings_usd_month) as our_savings_usd_month,
    coalesce(verdict.list_savings_usd_month <> verdict.savings_usd_month, false) as is_discounted
from second_opinions as opinion
left join rightsizing_verdicts as verdict using (resource_id)
where $resource_id::varchar is null or opinion.resource_id = $resource_id
order by opinion.resource_id, opinion.source
