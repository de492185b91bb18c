-- purpose: The objectives of services. One that does not say its window is taken over 30 days.
-- grain: service, name
-- reads: slos
-- params: -
select service, name, objective, coalesce(window_days, 30) as window_days
from slos
