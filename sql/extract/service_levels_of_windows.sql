-- purpose: Good and total events in some stretches of time, each of one service or (null) of all. Of a moment that is there twice, the larger.
-- grain: service, name, sampled_at
-- reads: sli_events
-- params: starts, ends, services
select distinct on (sli_events.service, name, sampled_at)
    sli_events.service,
    name,
    timestamp as sampled_at,
    good,
    total
from unnest($starts::timestamptz[], $ends::timestamptz[], $services::text[]) as stretch (starts_at, ends_at, service)
join sli_events
    on timestamp >= stretch.starts_at and timestamp < stretch.ends_at
    and (stretch.service is null or sli_events.service = stretch.service)
where sli_events.service <> '' and name <> ''
  -- NaN is greater than every number, infinity included.
  and good >= 0 and good <= total and total < 'infinity'
order by sli_events.service, name, sampled_at, total desc, good
