-- purpose: What incidents are compared by: what was written about each, without its title, and what it is known by (alarms, policies, actions, errors). Texts end after 3,000 characters: the longest postmortem is not the most alike.
-- grain: incident_id
-- reads: incident_records, incident_timeline
-- params: -
with known as (
    select
        timeline.incident_id,
        string_agg(text, ' ' order by position)
            filter (where lane in ('people', 'record', 'alarms', 'changes') and position < 100) as told,
        list(distinct 'policy:' || (payload ->> 'policy_id')) filter (where lane = 'engine') as policies,
        list(distinct 'action:' || (payload ->> 'action_type')) filter (
            where lane = 'engine' and not is_non_action
              and coalesce(outcome, 'succeeded') = 'succeeded' and (payload ->> 'action_type') not in ('notify', 'no_action')
        ) as actions,
        list(distinct 'error:' || lower(payload ->> 'outcome_reason')) filter (where lane = 'engine' and outcome = 'failed')
            as refusals,
        list(distinct 'alarm:' || coalesce(payload ->> 'alarm_name', target)) filter (where lane = 'alarms') as alarms
    from incident_timeline as timeline
    join incident_records as records on records.incident_id = timeline.incident_id and records.timeline_on = timeline.day
    where timeline.kind <> 'silence'
    group by timeline.incident_id
),
texts as (
    select
        records.incident_id,
        records.started_at,
        records.service,
        records.services,
        left(concat_ws(' ', records.summary, known.told), 3000) as text,
        list_filter(list_concat(policies, actions, refusals, alarms), lambda signal: signal is not null) as signals
    from incident_records as records
    left join known using (incident_id)
),
matched as (
    -- One pass finds every way of writing an error; each is then called by one name.
    select
        *,
        list_distinct(regexp_extract_all(
            lower(text),
            -- 400 and 500 alone are as often milliseconds as codes.
            '\b(?:(?:40[1-9]|429|50[1-4])\b|(?:http|status|code|error|errors|returned|returning|answered)[ :=]+(?:400|500)\b|'
            'tim(?:e|ed|ing)[ -]?outs?\b|deadline exceeded|connection pool|connections? exhaust|'
            'too many connections|oom|out[ -]of[ -]memory|exit code 137|certificate|x509|dns\b|disk (?:is )?full|no space left|'
            'not ?ready\b|throttl|rate limit|access denied|forbidden|crash ?-?loop)'
        )) as errors
    from texts
)
select
    incident_id,
    started_at,
    service,
    services,
    text,
    to_json(list_sort(list_distinct(list_concat(signals, list_transform(errors, lambda error: 'error:' || case
        when regexp_matches(error, '[ :=](?:400|500)$') then right(error, 3)
        when error like 'tim%' or error like 'deadline%' then 'timeout'
        when error like '%connection%' then 'connection pool'
        when error in ('oom', 'exit code 137') or error like 'out%' then 'out of memory'
        when error in ('certificate', 'x509') then 'certificate'
        when error like 'disk%' or error like 'no space%' then 'disk full'
        when error like 'not%' then 'not ready'
        when error in ('429', 'throttl', 'rate limit') then 'rate limit'
        when error in ('403', 'access denied', 'forbidden') then '403'
        when error like 'crash%' then 'crash loop'
        else error
    end)))))::varchar as signals
from matched
