-- purpose: How many people the timeline of one incident shows; 0 = it shows none.
-- grain: -
-- reads: incident_timeline, incident_records
-- params: incident_id
select count(distinct timeline.actor)::integer as responders
from incident_timeline as timeline
join incident_records as records on records.incident_id = timeline.incident_id and records.timeline_on = timeline.day
where timeline.incident_id = $incident_id and timeline.lane = 'people'
