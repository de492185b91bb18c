-- purpose: Smaller sizes that no edit of code can make, by reason, with an example of each.
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
where (route = 'by_hand' or (route = 'approval' and mode <> 'apply' and edit_code <> 'no_repository'))
  -- What goes back is told with what became of its change.
  and verdict_code is distinct from 'rollback_after_emergency'
group by edit_code
order by savings_usd_month desc, edit_code
