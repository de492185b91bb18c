-- purpose: Which service stands on which other one. A dependency that does not say its kind is taken as hard.
-- grain: service, depends_on
-- reads: service_dependencies
-- params: -
select service, depends_on, coalesce(lower(kind), 'hard') as kind
from service_dependencies
