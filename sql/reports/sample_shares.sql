-- purpose: How many readings of the day there are, and how many of them CloudWatch filled in.
-- grain: -
-- reads: sample_sources
-- params: -
select
    coalesce(sum(database_samples + cloudwatch_samples), 0)::bigint as readings,
    coalesce(sum(cloudwatch_samples), 0)::bigint as cloudwatch
from sample_sources
