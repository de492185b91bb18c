-- purpose: What one incident is known by besides its words.
-- grain: -
-- reads: incident_texts
-- params: incident_id
select signals
from incident_texts
where incident_id = $incident_id
