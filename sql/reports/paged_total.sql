-- purpose: How many resources would have a page of their own, in one row.
-- grain: -
-- reads: rightsizing_verdicts, savings
-- params: reason_codes
select count(*) as resources
from rightsizing_verdicts
where verdict = 'propose'
   or resource_id in (select resource_id from savings)
   or list_contains($reason_codes::varchar[], reason_code)
