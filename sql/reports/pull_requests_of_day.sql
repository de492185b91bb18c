-- purpose: What stands of pull requests after the night: what is open first, then what ended, what waits, what failed.
-- grain: repository, digest, state, number, detail
-- reads: pull_requests
-- params: -
select
    *,
    coalesce(json_array_length(resources), 0)::integer as resource_count
from pull_requests
order by
    list_position(['failed', 'open', 'frozen', 'opening', 'closing', 'merged', 'applied', 'closed', 'rejected', 'reverted',
                   'planned', 'outbox', 'waiting'], state),
    savings_usd_month desc, repository, digest, number, detail
