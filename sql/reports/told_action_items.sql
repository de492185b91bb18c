-- purpose: The action items of the decision engine's table, as it had them.
-- grain: item_id
-- reads: incident_action_items
-- params: -
select item_id, incident_id, title, item_type, priority, owner, due_on, tracker, tracker_key, state, created_at
from incident_action_items
order by item_id
