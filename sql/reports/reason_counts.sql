-- purpose: Why nothing is proposed: resources and money by reason, each with its most expensive example.
-- grain: reason_code
-- reads: rightsizing_verdicts
-- params: -
with ranked as (
    select
        *,
        row_number() over (partition by reason_code order by stake_usd_month desc nulls last, resource_id) as place
    from rightsizing_verdicts
    where verdict <> 'propose'
)
select
    verdict,
    reason_code,
    count(*) as resources,
    sum(stake_usd_month) as usd_month_at_stake,
    max(resource_id) filter (place = 1) as example_resource_id,
    max(deciding_value) filter (place = 1) as deciding_value,
    max(deciding_limit) filter (place = 1) as deciding_limit,
    max(deciding_text) filter (place = 1) as deciding_text
from ranked
group by verdict, reason_code
order by usd_month_at_stake desc nulls last, reason_code
