-- purpose: Resources and money of every team and of every service, what is safe first.
-- grain: kind, name
-- reads: rightsizing_verdicts, savings
-- params: -
with judged as (
    select
        case when grouping(service) = 0 then 'service' else 'team' end as kind,
        case when grouping(service) = 0 then service else team end as name,
        -- Of a service, the team that owns most of it.
        mode(team order by team) as team,
        count(*) as resources,
        -- Without any price a sum is not known; of nothing it is nothing.
        case when count(*) filter (reason_code <> 'refuse_group_member') = 0 then 0
             else sum(current_usd_month) filter (reason_code <> 'refuse_group_member') end as fleet_usd_month,
        count(*) filter (verdict = 'propose') as proposals,
        coalesce(sum(savings_usd_month) filter (verdict = 'propose'), 0) as safe_usd_month,
        case when count(*) filter (verdict = 'refuse') = 0 then 0
             else sum(stake_usd_month) filter (verdict = 'refuse') end as refused_usd_month,
        count(*) filter (verdict = 'refuse') as refused,
        case when count(*) filter (verdict = 'insufficient') = 0 then 0
             else sum(stake_usd_month) filter (verdict = 'insufficient') end as waiting_usd_month,
        count(*) filter (verdict = 'insufficient') as waiting,
        count(*) filter (verdict = 'keep') as kept
    from rightsizing_verdicts
    group by grouping sets ((service), (team))
),
live as (
    select
        case when grouping(service) = 0 then 'service' else 'team' end as kind,
        case when grouping(service) = 0 then service else team end as name,
        case when count(*) filter (stage in ('applied', 'realized')) = 0 then 0
             else sum(realized_usd_month) end as realized_usd_month,
        count(*) filter (stage in ('applied', 'realized')) as live,
        count(*) as changes
    from savings
    group by grouping sets ((service), (team))
)
select
    judged.*,
    case when coalesce(live.live, 0) = 0 then 0 else live.realized_usd_month end as realized_usd_month,
    coalesce(live.live, 0) as live,
    coalesce(live.changes, 0) as changes
from judged
left join live on live.kind = judged.kind and live.name is not distinct from judged.name
order by judged.kind, round(safe_usd_month, 2) desc, round(coalesce(refused_usd_month, 0) + coalesce(waiting_usd_month, 0), 2) desc, judged.name nulls last
