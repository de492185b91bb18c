-- purpose: Where the samples of one resource came from on the day, for each metric that CloudWatch filled in.
-- grain: metric
-- reads: sample_sources
-- params: resource_id
select metric, database_samples, cloudwatch_samples
from sample_sources
where resource_id = $resource_id and cloudwatch_samples > 0
order by metric
