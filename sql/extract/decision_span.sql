-- purpose: The first decision that the audit holds, because nothing is known of emergencies before it.
-- grain: -
-- reads: decision_audit
-- params: -
select min(decision_time) as first_at
from decision_audit
