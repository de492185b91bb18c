-- purpose: The services with their team and tier, and what a request is worth.
-- grain: service
-- reads: services
-- params: -
select service, team, tier, requests_per_day, value_per_request_usd
from services
