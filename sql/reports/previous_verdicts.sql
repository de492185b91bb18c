-- purpose: What was proposed for each resource the last time that it had a verdict.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: -
select resource_id, verdict, current_type, target_type
from rightsizing_verdicts
