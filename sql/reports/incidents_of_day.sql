-- purpose: The decision engine's incidents as they were on the day.
-- grain: incident_id
-- reads: incidents
-- params: -
select * exclude (day)
from incidents
order by incident_id
