-- purpose: What incidents of the last days cost, as far as it is known, in one row.
-- grain: -
-- reads: incident_records, postmortems
-- params: since
select
    count(*) as incidents,
    count(cost_expected_usd) as costed,
    sum(cost_low_usd) as low_usd,
    sum(cost_expected_usd) as expected_usd,
    sum(cost_high_usd) as high_usd,
    list_sort(list_distinct(flatten(list(string_split(cost_not_included, ', ')) filter (cost_not_included <> '')))) as not_included
from incident_records
left join postmortems using (incident_id)
where counts_in_metrics
  and origin <> 'decision_audit'
  and started_at >= $since::timestamp
