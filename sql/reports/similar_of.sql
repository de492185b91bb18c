-- purpose: The earlier incidents that one is most like, from the night that compared it last.
-- grain: rank
-- reads: similar_incidents, incident_records
-- params: incident_id
select
    alike.rank,
    alike.similar_id,
    alike.score,
    alike.reasons,
    records.title,
    records.started_at
from similar_incidents as alike
left join incident_records as records on records.incident_id = alike.similar_id
where alike.incident_id = $incident_id
  and alike.day = (select max(day) from similar_incidents where incident_id = $incident_id)
order by alike.rank
