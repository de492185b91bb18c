-- purpose: Days on which an incident began that was similar to an earlier one, and had a service or an alarm in common with it.
-- grain: incident_id, later_id
-- reads: similar_incidents, incident_records
-- params: -
with latest as (
    select similar_incidents.*
    from similar_incidents
    qualify day = max(day) over (partition by incident_id)
)
select latest.similar_id as incident_id, latest.incident_id as later_id, records.started_at::date as began_on
from latest
join incident_records as records on records.incident_id = latest.incident_id
where records.started_at is not null
  and records.counts_in_metrics
  and list_bool_or(list_transform(
      from_json(latest.reasons, '["VARCHAR"]'),
      lambda reason: starts_with(reason, 'same service ') or starts_with(reason, 'touched the same services: ')
          or starts_with(reason, 'same alarm ')
  ))
order by incident_id, began_on, later_id
