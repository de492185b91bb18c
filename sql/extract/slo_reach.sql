-- purpose: The longest window of any objective, because its days must be in the lake.
-- grain: -
-- reads: slos
-- params: -
select max(coalesce(window_days, 30)) as days
from slos
