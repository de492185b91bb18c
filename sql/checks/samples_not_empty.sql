-- purpose: A day without a single sample, which would make every verdict a silence.
-- grain: day
-- reads: utilization_samples
-- params: day
select $day::date as day, count(*) as samples
from utilization_samples
having count(*) = 0
