-- purpose: The hash under which the samples of a known resource arrive; the empty id stands for a missing one.
-- grain: resource_id
-- reads: resources
-- params: -
select distinct resource_id, hashtextextended(resource_id collate "C", 0) as resource_key
from (select resource_id from resources where resource_id is not null union all select '') as named
