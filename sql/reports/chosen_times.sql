-- purpose: The chosen times of incidents that were known on two nights, where any of them differs between the two.
-- grain: day, incident_id, phase
-- reads: incident_phases
-- params: -
with chosen as (
    select day, incident_id, phase, began_at, source, method, reason
    from incident_phases
    where is_chosen
),
moved as (
    select incident_id
    from chosen
    group by incident_id, phase
    having count(*) = 1 or min(began_at) <> max(began_at)
)
select day, incident_id, phase, began_at, source, method, reason
from chosen
where incident_id in (select incident_id from moved)
order by day, incident_id, phase
