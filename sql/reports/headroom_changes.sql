-- purpose: The services whose headroom changed on a day, and why.
-- grain: service
-- reads: service_headroom
-- params: day
select service, headroom_pct, previous_pct, reason
from service_headroom
where changed_on = $day::date
order by service
