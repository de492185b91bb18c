-- purpose: Which service cannot do without which other one.
-- grain: service, depends_on
-- reads: service_dependencies
-- params: -
select service, depends_on
from service_dependencies
where coalesce(kind, 'hard') = 'hard'
order by service, depends_on
