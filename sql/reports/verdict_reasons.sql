-- purpose: Every verdict with its reason, as far as a sentence needs it.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: -
select
    resource_id,
    verdict,
    reason_code,
    deciding_value,
    deciding_limit,
    deciding_text,
    exceedance_pct
from rightsizing_verdicts
order by resource_id
