-- purpose: The latest version of every captured event that belongs to an incident of the work list: those that carry its id, and those within its time that speak of its services, of what these cannot do without, or of services that decisions with its id were about.
-- grain: incident_id, source, source_event_id
-- reads: incident_work, captured_events, service_dependencies
-- params: -
with own as (
    select incident_id, unnest(services) as service from incident_work
),
related as (
    select incident_id, service from own
    union
    select own.incident_id, needed.depends_on
    from own
    join service_dependencies as needed on needed.service = own.service
    where coalesce(needed.kind, 'hard') = 'hard'
    union
    select work.incident_id, tagged.service
    from incident_work as work
    join captured_events as tagged on tagged.incident_id = work.incident_id
    where tagged.service is not null and tagged.lane = 'engine'
),
wanted as (
    -- By day as well: a join on ranges alone compares each event with each incident.
    select
        related.incident_id,
        related.service,
        work.from_at,
        work.to_at,
        unnest(generate_series(work.from_at::date, work.to_at::date, interval 1 day))::date as on_day
    from related
    join incident_work as work on work.incident_id = related.incident_id
),
candidates as (
    select *
    from captured_events
    where incident_id in (select incident_id from incident_work)
    union all
    select *
    from captured_events
    where incident_id is null
      and occurred_at >= (select min(from_at) from incident_work)
      and occurred_at <= (select max(to_at) from incident_work)
),
latest as (
    select *
    from candidates
    -- A day that was filled in later may hold what a night after it has, too.
    qualify row_number() over (partition by source, source_event_id order by version desc, day desc) = 1
),
tagged as (
    select incident_id as work_id, latest.*
    from latest
    where incident_id is not null
),
timed as (
    select wanted.incident_id as work_id, latest.*
    from latest
    join wanted on wanted.service = latest.service and wanted.on_day = latest.occurred_at::date
    where latest.incident_id is null and latest.occurred_at between wanted.from_at and wanted.to_at
)
select
    work_id as incident_id,
    source,
    source_event_id,
    version,
    occurred_at,
    recorded_at,
    precision,
    zone,
    lane,
    kind,
    service,
    target,
    actor,
    text,
    url,
    is_deleted,
    payload,
    incident_id is not null as is_tagged
from (from tagged union all from timed)
order by work_id, occurred_at, source, source_event_id
