-- purpose: Proposals that no edit of code can make, by reason, with an example of each; nothing where there is no code at all.
-- grain: edit_code
-- reads: proposals
-- params: -
select
    edit_code,
    arg_min(edit_sentence, resource_id) as example_sentence,
    min(resource_id) as example_resource_id,
    count(*)::integer as resources,
    sum(savings_usd_month) as savings_usd_month
from proposals
where route = 'approval' and edit_code <> 'no_repository'
group by edit_code
order by savings_usd_month desc, edit_code
