-- purpose: What was changed in some stretches of time, which do not overlap.
-- grain: change_id
-- reads: change_events
-- params: starts, ends
select change_id, occurred_at, service, kind, actor, ref, summary
from unnest($starts::timestamptz[], $ends::timestamptz[]) as stretch (starts_at, ends_at)
join change_events on occurred_at >= stretch.starts_at and occurred_at < stretch.ends_at
where change_id is not null
