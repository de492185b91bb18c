-- purpose: Days whose demand lacks a protected window, or knows it by other bounds or only roughly although the samples are there.
-- grain: day
-- reads: protected_windows, incident_demand
-- params: days, sampled_days
with wanted as (
    select
        days.day,
        windows.resource_id,
        windows.event_kind,
        windows.event_id,
        greatest(windows.started_at, days.day::timestamp) as window_from_at,
        least(windows.ended_at, days.day + interval 1 day) as window_to_at
    from protected_windows as windows
    join (select unnest($days::date[]) as day) as days
      on windows.started_at < days.day + interval 1 day and windows.ended_at >= days.day
)
select distinct wanted.day
from wanted
left join incident_demand as known
  on known.day = wanted.day and known.resource_id = wanted.resource_id
 and known.event_kind = wanted.event_kind and known.event_id = wanted.event_id
where known.resource_id is null
   or (list_contains($sampled_days::date[], wanted.day)
       and (known.basis = 'day' or (known.window_from_at, known.window_to_at) <> (wanted.window_from_at, wanted.window_to_at)))
order by wanted.day
