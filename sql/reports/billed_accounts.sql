-- purpose: The accounts that the bill speaks of, each with the end of its newest charge.
-- grain: sub_account_id
-- reads: billed_totals
-- params: -
select sub_account_id, max(charged_to) as charged_to
from billed_totals
where kind in ('resources', 'other_resources', 'no_resource')
group by sub_account_id
order by sub_account_id
