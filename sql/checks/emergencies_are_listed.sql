-- purpose: Proposals for resources that were scaled up in an emergency inside the veto window.
-- grain: resource_id
-- reads: rightsizing_verdicts, emergency_scaleups
-- params: -
select resource_id
from rightsizing_verdicts
semi join emergency_scaleups using (resource_id)
where verdict = 'propose'
