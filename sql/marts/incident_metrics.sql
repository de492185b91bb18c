-- purpose: Each metric of each incident by both clocks, or why it has no value.
-- grain: incident_id, metric_id, clock
-- reads: metric_definitions, incident_records, incident_phases
-- params: day_end, sql_hash, zone, weekdays, opens_second, closes_second
with chosen as (
    select
        incident_id,
        phase,
        incident_phases.began_at as moment,
        precision,
        evidence,
        list_position(
            [
                'impact_started', 'detected', 'acknowledged', 'declared', 'identified', 'mitigated', 'impact_ended', 'resolved',
                'closed'
            ],
            phase
        ) as place
    from incident_phases
    -- What is only likely is no end of a metric: a deployment shortly before is a suspicion.
    where is_chosen and incident_phases.began_at is not null
    -- Two sources that say the very same are both chosen.
    qualify row_number() over (partition by incident_id, phase order by rank) = 1
),
latest as (
    select incident_id, max(place) as place from chosen group by incident_id
),
phase_spans as (
    select
        records.incident_id,
        definitions.id as metric_id,
        started.moment as from_at,
        -- Whether somebody acknowledged it at all is not known where no time is: that is no reason to cap it.
        case when ended.moment is not null then least(ended.moment, cap.moment) end as to_at,
        coalesce(cap.moment < ended.moment, false) as is_capped,
        started.precision as from_precision,
        case when cap.moment < ended.moment then cap.precision else ended.precision end as to_precision,
        started.moment = ended.moment and started.evidence = ended.evidence and started.evidence <> '[]' as is_one_record,
        records.is_open
            and ended.moment is null
            -- Who speaks of an incident has detected it; and what comes later shows that this has passed.
            and definitions.to_phase <> 'detected'
            and coalesce(latest.place, 0) < ended_place.place as is_running,
        epoch_us(coalesce(least(ended.moment, cap.moment), $day_end::timestamp)) - epoch_us(started.moment) as wall_us
    from incident_records as records
    cross join metric_definitions as definitions
    left join chosen as started on started.incident_id = records.incident_id and started.phase = definitions.from_phase
    left join chosen as ended on ended.incident_id = records.incident_id and ended.phase = definitions.to_phase
    left join chosen as cap on cap.incident_id = records.incident_id and cap.phase = definitions.capped_at
    left join latest on latest.incident_id = records.incident_id
    left join (
        values ('acknowledged', 3), ('mitigated', 6), ('impact_ended', 7), ('resolved', 8)
    ) as ended_place (phase, place) on ended_place.phase = definitions.to_phase
    where definitions.from_phase is not null
),
windows as (
    select
        incident_id,
        is_open,
        try_cast(ends[1] as timestamp) as started_at,
        coalesce(try_cast(ends[2] as timestamp), case when is_open then $day_end::timestamp end) as ended_at,
        is_open and ends[2] is null as is_running
    from (select incident_id, is_open, unnest(from_json(windows, '[["VARCHAR"]]')) as ends from incident_records)
),
islands as (
    -- Windows that overlap or touch are one: customers do not suffer twice.
    select incident_id, min(started_at) as from_at, max(ended_at) as to_at
    from (
        select *, sum(is_apart::integer) over (partition by incident_id order by started_at, ended_at) as island
        from (
            select
                *,
                started_at > max(ended_at) over (
                    partition by incident_id order by started_at, ended_at rows between unbounded preceding and 1 preceding
                ) is not false as is_apart
            from windows
        )
    )
    group by incident_id, island
),
window_spans as (
    select
        incident_id,
        min(started_at) as from_at,
        case when count(*) = count(ended_at) then max(ended_at) end as to_at,
        bool_or(is_running) as is_running,
        count(*) = count(started_at) as has_starts,
        bool_or(ended_at < started_at) as is_reversed
    from windows
    group by incident_id
),
spans as (
    select * exclude (is_running), is_running as is_provisional, true as has_starts, to_at < from_at as is_reversed
    from phase_spans
    union all by name
    select
        records.incident_id,
        definitions.id as metric_id,
        span.from_at,
        case when not span.is_running then span.to_at end as to_at,
        false as is_capped,
        started.precision as from_precision,
        ended.precision as to_precision,
        false as is_one_record,
        coalesce(span.is_running, false) as is_provisional,
        coalesce(span.has_starts, false) as has_starts,
        coalesce(span.is_reversed, false) as is_reversed,
        felt.wall_us
    from incident_records as records
    cross join metric_definitions as definitions
    left join window_spans as span on span.incident_id = records.incident_id
    left join (
        select incident_id, sum(epoch_us(to_at) - epoch_us(from_at)) as wall_us from islands group by incident_id
    ) as felt on felt.incident_id = records.incident_id
    -- A window that begins or ends with a phase is known as precisely as that one.
    left join chosen as started
      on started.incident_id = records.incident_id and started.phase = 'impact_started' and started.moment = span.from_at
    left join chosen as ended
      on ended.incident_id = records.incident_id and ended.phase = 'impact_ended' and ended.moment = span.to_at
    where definitions.from_phase is null
),
judged as (
    select
        spans.*,
        definitions.version,
        case
            when not records.counts_in_metrics
                then {'status': 'excluded', 'reason': coalesce(records.not_counted_because, 'it does not count')}
            when definitions.from_phase is null and spans.from_at is null
                then {'status': 'missing', 'reason': 'no impact window is known'}
            when not spans.has_starts
                then {'status': 'missing', 'reason': 'the begin of an impact window is not known'}
            when spans.is_reversed and definitions.from_phase is null
                then {'status': 'invalid', 'reason': 'an impact window would end before it begins'}
            when spans.from_at is null and definitions.from_phase = 'caused_by_change'
                then {'status': 'missing', 'reason': 'no change is known to have caused it'}
            when spans.from_at is null
                then {'status': 'missing', 'reason': 'no time is known for: ' || replace(definitions.from_phase, '_', ' ')}
            when spans.to_at is null and not spans.is_provisional
                then {
                    'status': 'missing',
                    'reason': coalesce(
                        'no time is known for: ' || replace(definitions.to_phase, '_', ' '),
                        'the end of an impact window is not known'
                    )
                }
            when spans.is_reversed and spans.metric_id = 'ttres'
                -- Repaired first and declared afterwards is a legal order, and no duration.
                then {'status': 'excluded', 'reason': 'it was resolved before it was declared, so that nothing lies between them'}
            when spans.is_reversed
                then {
                    'status': 'invalid',
                    'reason': 'it would end before it begins: '
                        || replace(if(spans.is_capped, definitions.capped_at, definitions.to_phase), '_', ' ') || ' at '
                        || strftime(spans.to_at, '%Y-%m-%d %H:%M') || ', ' || replace(definitions.from_phase, '_', ' ') || ' at '
                        || strftime(spans.from_at, '%Y-%m-%d %H:%M')
                }
            when spans.is_provisional and spans.wall_us < 0
                then {'status': 'missing', 'reason': 'it began after the end of the day'}
            when spans.is_one_record
                then {'status': 'missing', 'reason': 'one record tells both ends, and not how long it took'}
            when 'unknown' in (spans.from_precision, spans.to_precision)
                then {'status': 'missing', 'reason': 'nobody knows how precise its ends are'}
            -- Half of a value may be the imprecision of its ends, and no more.
            when 'day' in (spans.from_precision, spans.to_precision) and spans.wall_us < 2 * 86400e6
                then {'status': 'missing', 'reason': 'an end is known to the day only: too coarse for less than 2 days'}
            when 'hour' in (spans.from_precision, spans.to_precision) and spans.wall_us < 2 * 3600e6
                then {'status': 'missing', 'reason': 'an end is known to the hour only: too coarse for less than 2 hours'}
            when spans.is_provisional
                then {'status': 'provisional', 'reason': 'the incident is open: it has lasted so long by the end of the day'}
            when spans.is_capped
                then {'status': 'ok', 'reason': 'capped: it was resolved before it was ' || definitions.to_phase}
            else {'status': 'ok', 'reason': null}
        end as verdict
    from spans
    join metric_definitions as definitions on definitions.id = spans.metric_id
    join incident_records as records on records.incident_id = spans.incident_id
),
stretches as (
    select judged.incident_id, judged.metric_id, islands.from_at, islands.to_at
    from judged
    join metric_definitions as definitions on definitions.id = judged.metric_id and definitions.from_phase is null
    join islands on islands.incident_id = judged.incident_id
    where judged.verdict.status in ('ok', 'provisional')
    union all
    select judged.incident_id, judged.metric_id, judged.from_at, coalesce(judged.to_at, $day_end::timestamp)
    from judged
    join metric_definitions as definitions on definitions.id = judged.metric_id and definitions.from_phase is not null
    where judged.verdict.status in ('ok', 'provisional')
),
support_days as (
    -- Local hours of each day in UTC: where the clocks change, a day's hours are as many as there were.
    select
        timezone('UTC', timezone($zone::varchar, day + to_seconds($opens_second::integer))) as opens_at,
        timezone('UTC', timezone($zone::varchar, day + to_seconds($closes_second::integer))) as closes_at
    from (
        select unnest(generate_series(
            min(from_at)::date::timestamp - interval 1 day, max(to_at)::date::timestamp + interval 1 day, interval 1 day
        )) as day
        from stretches
    )
    where isodow(day) in (select unnest($weekdays::integer[]))
),
support as (
    select
        opens_at,
        closes_at,
        coalesce(
            sum(epoch_us(closes_at) - epoch_us(opens_at)) over (
                order by opens_at rows between unbounded preceding and 1 preceding
            ),
            0
        ) as us_before
    from support_days
),
measured as (
    select
        stretches.incident_id,
        stretches.metric_id,
        sum(epoch_us(stretches.to_at) - epoch_us(stretches.from_at)) / 60e6 as wall,
        -- Support time is counted from one origin to both ends; their difference lies between them.
        sum(
            coalesce(until.us_before + epoch_us(least(stretches.to_at, until.closes_at)) - epoch_us(until.opens_at), 0)
            - coalesce(since.us_before + epoch_us(least(stretches.from_at, since.closes_at)) - epoch_us(since.opens_at), 0)
        ) / 60e6 as support_hours
    from stretches
    asof left join support as since on stretches.from_at >= since.opens_at
    asof left join support as until on stretches.to_at >= until.opens_at
    group by stretches.incident_id, stretches.metric_id
),
clocked as (
    select incident_id, metric_id, 'wall' as clock, wall as minutes from measured
    union all
    select incident_id, metric_id, 'support_hours', support_hours from measured
)
select
    judged.incident_id,
    judged.metric_id,
    clocks.clock,
    judged.version,
    $sql_hash::varchar as sql_hash,
    judged.verdict.status as status,
    case when judged.verdict.status = 'ok' then clocked.minutes end::double as minutes,
    case when judged.verdict.status = 'provisional' then clocked.minutes end::double as censored_minutes,
    judged.from_at,
    judged.to_at,
    judged.verdict.reason as reason
from judged
cross join (values ('wall'), ('support_hours')) as clocks (clock)
left join clocked
  on clocked.incident_id = judged.incident_id and clocked.metric_id = judged.metric_id and clocked.clock = clocks.clock
