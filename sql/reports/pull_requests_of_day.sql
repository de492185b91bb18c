-- purpose: What stands of pull requests after the night: what failed and what is open first, what waits last.
-- grain: repository, digest, state, number, detail
-- reads: pull_requests
-- params: -
with places as (
    select
        *,
        coalesce(json_array_length(resources), 0)::integer as resource_count,
        list_position(['failed', 'open', 'frozen', 'opening', 'closing', 'merged', 'applied', 'closed', 'rejected', 'reverted',
                       'planned', 'outbox', 'waiting'], state) as place
    from pull_requests
)
select * exclude (place)
from places
order by place, savings_usd_month desc, repository, digest, number, detail
