-- purpose: How action items fare, all together first, then the groups that have most of them.
-- grain: scope, group_name
-- reads: action_item_metrics
-- params: top
select scope, group_name, items, open, in_progress, done, overdue, due, done_of_due, median_days
from action_item_metrics
order by scope = 'all' desc, items desc, scope, group_name
limit $top
