-- purpose: The hashes under which samples of some resources arrive.
-- grain: resource_id
-- reads: -
-- params: ids
select resource_id, hashtextextended(resource_id collate "C", 0) as resource_key
from unnest($ids::text[]) as resource_id
