-- purpose: Versions of the decision engine's policies that the night before did not know, and policies that are gone.
-- grain: policy_id, version, change
-- reads: policies
-- params: day, before
with now as (select * from policies where day = $day::date),
earlier as (select * from policies where day = $before::date)
select policy_id, version, name, 'new' as change
from now
anti join earlier using (policy_id, version)
union all
select policy_id, version, name, 'gone' as change
from earlier
anti join now using (policy_id, version)
order by policy_id, version, change
