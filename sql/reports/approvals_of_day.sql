-- purpose: What stands of approval requests after the night: what waits for an answer first, what is not asked for last.
-- grain: digest, request_id, state, detail
-- reads: approval_requests
-- params: -
with places as (
    select
        *,
        coalesce(json_array_length(changes), 0)::integer as resource_count,
        list_position(['failed', 'rolled_back', 'executing', 'pending', 'approved', 'executed', 'rejected', 'snoozed', 'expired',
                       'withdrawn', 'planned', 'waiting'], state) as place,
        list_position(['low', 'medium', 'high'], risk) as risk_place
    from approval_requests
)
select * exclude (place, risk_place)
from places
order by place, risk_place, savings_usd_month desc, digest, request_id, detail
