-- purpose: The action items of some incidents.
-- grain: item_id
-- reads: action_items
-- params: incident_ids
select item_id, incident_id, title, item_type as type, priority, owner, due_on, due_source, tracker, tracker_key, state, url
from action_items
where list_contains($incident_ids, incident_id)
order by incident_id, due_on nulls last, item_id
