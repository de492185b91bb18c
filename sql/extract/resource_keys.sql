-- purpose: The hash under which the samples of a known resource arrive.
-- grain: resource_id
-- reads: resources
-- params: -
select distinct resource_id, hashtextextended(resource_id collate "C", 0) as resource_key
from resources
where resource_id is not null
