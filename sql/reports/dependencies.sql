-- purpose: Which service stands on which other one, and how.
-- grain: service, depends_on
-- reads: service_dependencies
-- params: -
select service, depends_on, kind
from service_dependencies
order by service, depends_on
