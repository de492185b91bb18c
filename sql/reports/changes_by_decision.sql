-- purpose: Every change that is on the table with the pull request or the approval request that asks for it or carried it out.
-- grain: resource_id, decision
-- reads: savings
-- params: -
select
    *,
    case
        when source <> '' then source
        when route = 'approval' then 'request:' || reference
        else reference
    end as decision
from savings
where source <> '' or reference is not null
order by resource_id, decision
