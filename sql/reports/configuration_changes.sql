-- purpose: Resources whose configuration is not what it was in the last night that read it; a changed size comes first.
-- grain: account_id, region, resource_type, native_id
-- reads: aws_resources
-- params: -
select account_id, region, resource_type, native_id, changes
from aws_resources
where changes is not null
order by (changes -> 'instance_type') is null, account_id, region, resource_type, native_id
