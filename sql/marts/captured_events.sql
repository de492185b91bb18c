-- purpose: The day's captured events: those that it has already, and of what was read now all that is new, or differs from the latest version that any day has. What a source listed to its end and did not name any more is a version that is deleted; a place is listed from the first thing on that its source still holds, as what is older may merely be forgotten.
-- grain: source, source_event_id, version
-- reads: captured_events, fresh_events, fresh_places, fresh_ids
-- params: day
with given as (
    -- A source may name an event twice, where two of its lists hold it: then the one that knows what it is about counts.
    select *
    from fresh_events
    qualify row_number() over (
        partition by source, source_event_id
        order by recorded_at desc nulls last, incident_id nulls last, service nulls last, payload, text, url, actor
    ) = 1
),
reach as (
    select source, min(since) as since from fresh_places group by source
),
-- Ids and times first: the texts of years are not read to find a few versions.
wanted as (
    select source, source_event_id, max(version) as version
    from (
        select source, source_event_id, version from captured_events semi join given using (source, source_event_id)
        union all
        select captured_events.source, source_event_id, version
        from captured_events
        join reach on reach.source = captured_events.source and captured_events.occurred_at >= reach.since
    ) as known
    group by source, source_event_id
),
latest as (
    select captured_events.*
    from captured_events
    semi join wanted using (source, source_event_id, version)
    -- A day that was filled in later may hold what a night after it has, too.
    qualify row_number() over (partition by source, source_event_id order by day desc) = 1
),
gone as (
    select distinct latest.* exclude (version, day) replace (true as is_deleted)
    from latest
    join fresh_places as place
        on place.source = latest.source
        and place.place = json_extract_string(latest.payload, '$.listed_in')
        and latest.occurred_at >= place.since
        and latest.occurred_at < place.until
    where not latest.is_deleted
        and (latest.source, latest.source_event_id) not in (select source, source_event_id from fresh_ids)
        and (latest.source, latest.source_event_id) not in (select source, source_event_id from given)
),
seen as (
    select * from given
    union all by name
    select * from gone
),
differing as (
    select seen.*, coalesce(latest.version, 0) + 1 as version
    from seen
    left join latest using (source, source_event_id)
    where latest.version is null
        or hash(
            seen.occurred_at, seen.recorded_at, seen.precision, seen.zone, seen.lane, seen.kind, seen.service, seen.target,
            seen.actor, seen.text, seen.url, seen.incident_id, seen.is_deleted, seen.payload
        )
        <> hash(
            latest.occurred_at, latest.recorded_at, latest.precision, latest.zone, latest.lane, latest.kind, latest.service,
            latest.target, latest.actor, latest.text, latest.url, latest.incident_id, latest.is_deleted, latest.payload
        )
),
together as (
    select * exclude (day) from captured_events where day = $day::date
    union all by name
    select * from differing
)
select
    source,
    source_event_id,
    version::integer as version,
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
    incident_id,
    is_deleted,
    payload
from together
