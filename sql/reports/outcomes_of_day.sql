-- purpose: What became of each applied change: regrets first, then what is not live yet, then the newest.
-- grain: resource_id, source
-- reads: proposal_outcomes
-- params: -
select *
from proposal_outcomes
order by regret is not distinct from true desc, applied_on is null desc, regret_on desc, applied_on desc, resource_id, source
