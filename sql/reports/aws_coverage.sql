-- purpose: What was read live of each account and region, and what is missing.
-- grain: place
-- reads: load_ledger
-- params: -
with lines as (
    select
        split_part(source, '.', 1) as kind,
        split_part(source, '.', 2) || '/' || split_part(source, '.', 3) as place,
        *
    from load_ledger
    where starts_with(source, 'aws_resources.') or starts_with(source, 'aws_samples.')
)
select
    place,
    max(status) filter (kind = 'aws_resources') as inventory,
    max(status) filter (kind = 'aws_samples') as metrics,
    coalesce(sum(rows_written) filter (kind = 'aws_resources'), 0)::bigint as resources,
    coalesce(sum(rows_written) filter (kind = 'aws_samples'), 0)::bigint as samples,
    coalesce(sum(calls), 0)::bigint as calls,
    coalesce(sum(throttles), 0)::bigint as throttles,
    -- The same reason is told once.
    string_agg(distinct error, ' ' order by error) filter (error <> '') as problem
from lines
group by place
order by place
