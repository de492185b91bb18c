-- purpose: Every version of the decision engine's policies that was loaded by the day.
-- grain: policy_id, version
-- reads: policies
-- params: -
select policy_id, version, definition
from policies
order by policy_id, version
