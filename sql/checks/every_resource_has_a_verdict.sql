-- purpose: Resources of the inventory without a verdict: silence is never an answer.
-- grain: resource_id
-- reads: rightsizing_verdicts, resource_inventory
-- params: -
select resource_id
from resource_inventory
anti join rightsizing_verdicts using (resource_id)
