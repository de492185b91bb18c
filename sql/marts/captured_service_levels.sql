-- purpose: The day's captured service levels: what was read now and earlier days do not have like that, and what the day has already.
-- grain: service, name, sampled_at
-- reads: captured_service_levels, fresh_service_levels
-- params: day
with earlier as (
    select service, name, sampled_at, good, total
    from captured_service_levels
    semi join fresh_service_levels using (service, name, sampled_at)
    where day < $day::date
    qualify row_number() over (partition by service, name, sampled_at order by day desc) = 1
),
fresh as (
    select fresh_service_levels.*
    from fresh_service_levels
    anti join earlier using (service, name, sampled_at, good, total)
),
kept as (
    select mine.service, mine.name, mine.sampled_at, mine.good, mine.total
    from captured_service_levels as mine
    anti join fresh_service_levels using (service, name, sampled_at)
    where mine.day = $day::date
)
select service, name, sampled_at, good, total from fresh
union all
select service, name, sampled_at, good, total from kept
