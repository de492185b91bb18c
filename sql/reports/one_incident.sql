-- purpose: The record of one incident.
-- grain: incident_id
-- reads: incident_records
-- params: incident_id
select * exclude (day)
from incident_records
where incident_id = $incident_id
