-- purpose: Which team a service belongs to.
-- grain: service
-- reads: services
-- params: -
select service, team
from services
where team is not null
order by service
