-- purpose: Those of some incidents whose documents are kept up to date on the day: what goes on, and what ended not long before.
-- grain: incident_id
-- reads: incident_records
-- params: incident_ids, day, document_days
select incident_id
from incident_records
where incident_id in (select unnest($incident_ids::varchar[]))
  and (is_open or ended_at is null or ended_at >= $day::date - $document_days::integer)
order by incident_id
