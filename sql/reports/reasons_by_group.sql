-- purpose: Why nothing is proposed, by team and by service: resources and money of each reason.
-- grain: kind, name, verdict, reason_code
-- reads: rightsizing_verdicts
-- params: -
select
    case when grouping(service) = 0 then 'service' else 'team' end as kind,
    case when grouping(service) = 0 then service else team end as name,
    verdict,
    reason_code,
    count(*) as resources,
    sum(stake_usd_month) as usd_month
from rightsizing_verdicts
where verdict <> 'propose'
group by grouping sets ((service, verdict, reason_code), (team, verdict, reason_code))
having name is not null
order by kind, name, round(usd_month, 2) desc nulls last, verdict, reason_code
