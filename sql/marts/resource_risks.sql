-- purpose: What speaks against touching a resource at all: an open incident, open work that asks for capacity, a spent error budget.
-- grain: resource_id
-- reads: resource_inventory, incidents, action_items, slos, sli_daily
-- params: day, day_end
with open_incidents as (
    select
        service,
        arg_max(incident_id, (started_at, incident_id)) as open_incident_id,
        arg_max(title, (started_at, incident_id)) as open_incident_title
    from (
        select *, coalesce(impact_started_at, detected_at, acknowledged_at, declared_at, '1970-01-01'::timestamp) as started_at
        from incidents
    ) as dated
    where service is not null
      and started_at < $day_end::timestamp
      and coalesce(impact_ended_at >= $day_end::timestamp, true)
      and coalesce(resolved_at >= $day_end::timestamp, true)
      and coalesce(lower(status), 'open') not in ('resolved', 'closed', 'postmortem', 'merged', 'declined', 'canceled', 'cancelled')
      and coalesce(lower(kind), 'normal') not in ('test', 'drill')
    group by service
),
open_items as (
    -- Of several, the one that is due first. What is lost was not done.
    select
        service,
        arg_min(item_id, (coalesce(due_on, '9999-12-31'::date), item_id)) as open_capacity_item_id,
        arg_min(title, (coalesce(due_on, '9999-12-31'::date), item_id)) as open_capacity_item_title
    from action_items
    where service is not null
      and state not in ('done', 'verified', 'declined', 'duplicate')
      and (item_type = 'capacity'
           or regexp_matches(lower(title), 'scale|scaling|capacity|resize|resizing|bigger|more memory|more replicas|head-?room'))
    group by service
),
budgets as (
    select
        slos.service,
        slos.name,
        -- Of what the objective allows to fail, the share that has not failed yet; below zero it is overdrawn.
        case when sum(measured.total) > 0
             then 100 * (1 - (1 - sum(measured.good) / sum(measured.total)) / (1 - slos.objective)) end as left_pct
    from slos
    left join sli_daily as measured
      on measured.service = slos.service and measured.name = slos.name
     and measured.day > $day::date - slos.window_days and measured.day <= $day::date
    group by slos.service, slos.name, slos.objective
),
lowest as (
    select service, name as slo_name, left_pct as slo_budget_left_pct
    from budgets
    qualify row_number() over (partition by service order by left_pct nulls last, name) = 1
)
select
    inventory.resource_id,
    open_incidents.open_incident_id,
    open_incidents.open_incident_title,
    open_items.open_capacity_item_id,
    open_items.open_capacity_item_title,
    lowest.slo_name,
    lowest.slo_budget_left_pct
from resource_inventory as inventory
left join open_incidents using (service)
left join open_items using (service)
left join lowest using (service)
where open_incidents.open_incident_id is not null
   or open_items.open_capacity_item_id is not null
   or lowest.slo_name is not null
