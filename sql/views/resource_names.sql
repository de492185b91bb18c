-- purpose: The names by which a decision may speak of a resource: its own, its group's, its members' and its service's.
-- grain: resource_id, name, matched_by
-- reads: resource_inventory
-- params: -
select resource_id, resource_id as name, 'resource' as matched_by, 1 as closeness
from resource_inventory
union all
-- What AWS calls it, where its id says more.
select resource_id, native_id, 'resource', 1
from resource_inventory
where native_id is not null
union all
select resource_id, asg_name, 'autoscaling_group', 2
from resource_inventory
where asg_name is not null
union all
select members.resource_id, groups.native_id, 'autoscaling_group', 2
from resource_inventory as members
join resource_inventory as groups on groups.resource_id = members.asg_name
where groups.native_id is not null
union all
-- What happened to a member happened to its group.
select asg_name, resource_id, 'member', 4
from resource_inventory
where asg_name in (select resource_id from resource_inventory)
union all
select resource_id, service, 'service', 3
from resource_inventory
where service is not null
