-- purpose: Protected windows that end before they begin.
-- grain: resource_id, event_kind, event_id
-- reads: protected_windows
-- params: -
select resource_id, event_kind, event_id
from protected_windows
where not coalesce(ended_at >= started_at, false)
