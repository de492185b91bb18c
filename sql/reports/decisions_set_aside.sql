-- purpose: How many decisions of the veto window are no emergencies and why, and what nobody can be told to own.
-- grain: -
-- reads: weighed_decisions, resource_names, services
-- params: day_end, veto_days
with decided as (
    select
        weighed.target,
        coalesce(weighed.set_aside, case when weighed.target not in (select name from resource_names) then 'unknown_target' end) as set_aside
    from weighed_decisions as weighed
    where weighed.decision_at >= $day_end::timestamp - to_days($veto_days::integer)
      and weighed.decision_at < $day_end::timestamp
),
empty_services as (
    select service from services
    where service not in (select name from resource_names where matched_by = 'service')
)
select
    count(*) as decisions,
    count(*) filter (set_aside is null) as emergencies,
    count(*) filter (set_aside = 'other_action') as other_action,
    count(*) filter (set_aside = 'dry_run') as dry_run,
    count(*) filter (set_aside = 'failed_or_skipped') as failed_or_skipped,
    count(*) filter (set_aside = 'duplicate_event') as duplicate_event,
    count(*) filter (set_aside = 'unknown_target') as unknown_target,
    min(target) filter (set_aside = 'unknown_target') as unknown_target_example,
    (select count(*) from empty_services) as services_without_resources,
    (select min(service) from empty_services) as service_without_resources_example
from decided
