-- purpose: The versions of decision policies that were loaded by the end of the day.
-- grain: policy_id, version
-- reads: policies
-- params: day_end
select
    policy_id,
    version,
    coalesce(nullif(btrim(name), ''), policy_id) as name,
    definition::text as definition,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as created_at
from policies
where created_at is null or created_at < $day_end
