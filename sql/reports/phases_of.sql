-- purpose: Every candidate of every phase of one incident, best first.
-- grain: phase, rank
-- reads: incident_phases
-- params: incident_id
select * exclude (day)
from incident_phases
where incident_id = $incident_id
order by phase, rank
