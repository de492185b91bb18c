-- purpose: Changes and money by how far they have come, and of those that are not realized why, the most money first.
-- grain: stage, stage_note
-- reads: savings
-- params: -
select
    stage,
    stage_note,
    count(*) as changes,
    coalesce(sum(savings_usd_month), 0) as usd_month,
    sum(realized_usd_month) as realized_usd_month
from savings
group by stage, stage_note
order by list_position(['identified', 'proposed', 'approved', 'applied', 'realized'], stage), round(usd_month, 2) desc, stage_note
