-- purpose: Days whose partitions hold the timelines of the day's incidents.
-- grain: timeline_on
-- reads: incident_records
-- params: -
select distinct timeline_on
from incident_records
where timeline_on is not null
order by timeline_on
