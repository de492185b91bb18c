-- purpose: The changes of each team and of each service that are worth most, with how far they have come.
-- grain: kind, name, resource_id, source
-- reads: savings
-- params: top
with grouped as (
    select 'service' as kind, service as name, * from savings where service is not null
    union all
    select 'team' as kind, team as name, * from savings where team is not null
)
select
    kind,
    name,
    resource_id,
    source,
    service,
    environment,
    units,
    attribute,
    value_before,
    value_after,
    stage,
    stage_note,
    savings_usd_month,
    realized_usd_month
from grouped
qualify row_number() over (partition by kind, name order by savings_usd_month desc, resource_id, source) <= $top
order by kind, name, savings_usd_month desc, resource_id, source
