-- purpose: The names behind hashes that no row of resources explains.
-- grain: resource_id
-- reads: utilization
-- params: day_start, day_end, keys
select distinct coalesce(resource_id, '') as resource_id, hashtextextended(coalesce(resource_id, '') collate "C", 0) as resource_key
from utilization
where timestamp >= $day_start and timestamp < $day_end
  and hashtextextended(coalesce(resource_id, '') collate "C", 0) = any($keys::bigint[])
