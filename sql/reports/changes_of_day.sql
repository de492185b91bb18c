-- purpose: The change of each resource that counts most: what is proposed tonight before what was carried out, the newest first.
-- grain: resource_id
-- reads: savings
-- params: -
select *
from savings
qualify row_number() over (partition by resource_id order by source <> '', applied_on desc nulls first, source) = 1
order by resource_id
