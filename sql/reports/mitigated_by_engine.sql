-- purpose: Whether the decision engine mitigated each incident alone: it acted before the mitigation, and no person wrote or changed anything until then. Incidents of which that is not known have no row.
-- grain: incident_id
-- reads: incident_records, incident_phases, incident_timeline
-- params: -
with ends as (
    select records.incident_id, records.timeline_on, min(phases.began_at) as mitigated_at
    from incident_records as records
    join incident_phases as phases using (incident_id)
    where phases.is_chosen and phases.phase in ('mitigated', 'impact_ended')
    group by all
)
select
    ends.incident_id,
    count(*) filter (
        where entries.occurred_at <= ends.mitigated_at
          and entries.lane = 'engine'
          and entries.outcome = 'succeeded'
          and entries.payload ->> 'action_type' not in ('notify', 'no_action', 'scale_down')
          and not coalesce((entries.payload ->> 'is_dry_run')::boolean, false)
    ) > 0
        and count(*) filter (where entries.occurred_at <= ends.mitigated_at and entries.lane in ('people', 'changes')) = 0
        as is_engine_only
from ends
join incident_timeline as entries on entries.incident_id = ends.incident_id and entries.day = ends.timeline_on
group by ends.incident_id
-- Where nobody wrote anything, not even afterwards, nobody's words were captured.
having count(*) filter (where entries.lane = 'people') > 0
order by ends.incident_id
