-- purpose: Verdicts without evidence, and evidence without a verdict.
-- grain: resource_id
-- reads: rightsizing_verdicts, rightsizing_evidence
-- params: -
select coalesce(verdicts.resource_id, evidence.resource_id) as resource_id
from rightsizing_verdicts as verdicts
full join rightsizing_evidence as evidence on evidence.resource_id = verdicts.resource_id
where verdicts.resource_id is null or evidence.resource_id is null
