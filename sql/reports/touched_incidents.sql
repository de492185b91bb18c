-- purpose: Incidents of the work list of whose time, or by whose id, something was captured.
-- grain: incident_id
-- reads: incident_work, captured_events
-- params: -
select incident_id
from captured_events
where incident_id in (select incident_id from incident_work)
union
select work.incident_id
from incident_work as work
join captured_events as events on events.occurred_at between work.from_at and work.to_at
order by incident_id
