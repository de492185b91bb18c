-- purpose: The timeline of one incident, from the night that made it last.
-- grain: position
-- reads: incident_records, incident_timeline
-- params: incident_id
select entries.* exclude (day)
from incident_records as records
join incident_timeline as entries on entries.incident_id = records.incident_id and entries.day = records.timeline_on
where records.incident_id = $incident_id
order by entries.position
