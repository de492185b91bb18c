-- purpose: Action items of each team and of each service that are not done, the longest overdue first.
-- grain: kind, name, item_id
-- reads: action_items
-- params: top
with waiting as (
    select *
    from action_items
    where state in ('proposed', 'open', 'in_progress', 'lost')
),
grouped as (
    select 'service' as kind, service as name, * from waiting where service is not null
    union all
    select 'team' as kind, team as name, * from waiting where team is not null
)
select kind, name, item_id, incident_id, title, state, due_on, count(*) over (partition by kind, name) as total
from grouped
qualify row_number() over (partition by kind, name order by due_on nulls last, item_id) <= $top
order by kind, name, due_on nulls last, item_id
