-- purpose: Resources that were refused for one of some reasons.
-- grain: resource_id
-- reads: rightsizing_verdicts
-- params: reason_codes
select resource_id
from rightsizing_verdicts
where reason_code in (select unnest($reason_codes::varchar[]))
order by resource_id
