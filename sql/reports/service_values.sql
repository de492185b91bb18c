-- purpose: How many requests services have, and what one is worth.
-- grain: service
-- reads: services
-- params: -
select service, requests_per_day, value_per_request_usd
from services
order by service
