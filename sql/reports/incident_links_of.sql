-- purpose: What ties one incident to right-sizing: changes that may have caused it first, then what it keeps from being shrunk.
-- grain: kind, resource_id
-- reads: incident_links
-- params: incident_id
select kind, resource_id, reason
from incident_links
where incident_id = $incident_id
order by list_position(['caused', 'suspect', 'vetoes'], kind), resource_id
