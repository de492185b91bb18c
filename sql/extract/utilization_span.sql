-- purpose: The first and last moment of any sample, for messages about an empty day.
-- grain: -
-- reads: utilization
-- params: -
select min(timestamp) as first_at, max(timestamp) as last_at
from utilization
