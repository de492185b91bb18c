-- purpose: Every incident of the day with its document, the newest first.
-- grain: incident_id
-- reads: incident_records, postmortems
-- params: -
select
    records.incident_id,
    records.origin,
    records.title,
    records.severity,
    records.service,
    records.commander,
    records.is_open,
    records.counts_in_metrics,
    records.not_counted_because,
    records.started_at,
    records.ended_at,
    records.completeness_pct,
    documents.written_on,
    documents.sections_edited,
    documents.problem
from incident_records as records
left join postmortems as documents using (incident_id)
order by records.started_at desc nulls last, records.incident_id
