-- purpose: Good and total events by day, service and objective, with the rows that cannot be right counted apart.
-- grain: day, service, name, reason
-- reads: sli_events
-- params: span_start, span_end
select
    to_char(at_day, 'YYYY-MM-DD') as day,
    service,
    name,
    -- Exact sums, because adding floats in another order gives other last digits.
    sum(good::numeric) filter (where reason is null) as good,
    sum(total::numeric) filter (where reason is null) as total,
    reason,
    count(*) as events,
    to_char(min(timestamp) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as first_at,
    to_char(max(timestamp) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as last_at,
    min((good::text || ' of ' || total::text) collate "C") filter (where reason is not null) as example_value
from (
    select
        coalesce(service, '') as service,
        coalesce(name, '') as name,
        timestamp,
        good,
        total,
        (timestamp at time zone 'UTC')::date as at_day,
        case
            when coalesce(service, '') = '' then 'missing_service'
            when coalesce(name, '') = '' then 'missing_name'
            when row_number() over (partition by service, name, timestamp order by total desc nulls last, good nulls last) > 1
                then 'duplicate_key'
            when good is null or total is null then 'missing_value'
            -- NaN is greater than every number, infinity included.
            when good < 0 or good > total or total >= 'infinity' then 'impossible_value'
        end as reason
    from sli_events
    where timestamp >= $span_start and timestamp < $span_end
) as weighed
group by at_day, service, name, reason
