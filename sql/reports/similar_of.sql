-- purpose: The earlier incidents that one is most like, from the night that compared it last.
-- grain: rank
-- reads: similar_incidents, incident_records
-- params: incident_id
select
    similar.rank,
    similar.similar_id,
    similar.score,
    similar.reasons,
    records.title,
    records.started_at
from similar_incidents as similar
left join incident_records as records on records.incident_id = similar.similar_id
where similar.incident_id = $incident_id
  and similar.day = (select max(day) from similar_incidents where incident_id = $incident_id)
order by similar.rank
