-- purpose: The objectives of some services, with the events of a whole window where its days are known.
-- grain: service, name
-- reads: slos, sli_daily
-- params: day, services
select
    slos.service,
    slos.name,
    slos.objective,
    coalesce(slos.window_days, 30)::integer as window_days,
    (
        -- The mean of the days that are known stands for those that are not.
        select avg(daily.total) * coalesce(slos.window_days, 30)
        from sli_daily as daily
        where daily.service = slos.service and daily.name = slos.name
          and daily.day <= $day::date and daily.day > $day::date - coalesce(slos.window_days, 30)
    ) as window_total
from slos
where slos.service in (select unnest($services::varchar[])) and slos.objective between 0 and 1
order by slos.service, slos.name
