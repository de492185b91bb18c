-- purpose: The action items of incidents that were there by the end of the day.
-- grain: item_id
-- reads: incident_action_items
-- params: day_end
select
    item_id,
    incident_id,
    coalesce(nullif(btrim(title), ''), item_id) as title,
    type as item_type,
    priority,
    owner,
    to_char(due_on, 'YYYY-MM-DD') as due_on,
    tracker,
    tracker_key,
    state,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as created_at
from incident_action_items
where created_at is null or created_at < $day_end
