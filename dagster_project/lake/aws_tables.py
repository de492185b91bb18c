"""The contract of the tables that are read live from AWS, a part for each account and region, and of what came of them."""

from __future__ import annotations

from dagster_project.domain.metrics import METRICS
from dagster_project.lake.table import Table

AWS_RESOURCES = Table(
    "aws_resources",
    ("account_id", "region", "resource_type", "native_id"),
    {
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "resource_type": "VARCHAR",
        "native_id": "VARCHAR",
        "instance_type": "VARCHAR",
        "platform": "VARCHAR",
        "tenancy": "VARCHAR",
        "lifecycle": "VARCHAR",
        "asg_name": "VARCHAR",
        "managed_by": "VARCHAR",
        "units": "INTEGER",
        "service": "VARCHAR",
        "team": "VARCHAR",
        "environment": "VARCHAR",
        "tags": "VARCHAR",
        "config": "VARCHAR",
        "created_at": "TIMESTAMP",
        "config_changed_at": "TIMESTAMP",
        "differed_on": "DATE",
        "changes": "VARCHAR",
        "read_on": "DATE",
    },
    "What AWS lists in each account and region, as of the night after the day. What could not be read is carried on from the "
    "last night that read it (read_on). config_changed_at is no earlier than the change itself; differed_on is the last day that "
    "was read with another size, if any was. changes is a JSON object: what of the configuration is not as it was, with before "
    "and after.",
)
AWS_SAMPLES = Table(
    "aws_samples",
    ("resource_id", "sampled_at"),
    {"resource_id": "VARCHAR", "sampled_at": "TIMESTAMP", **{metric.name: "FLOAT" for metric in METRICS}},
    "Samples of the day out of CloudWatch, one row per resource and five minutes, before they are merged with those of the "
    "database. A part 'late' holds what was other or missing when the end of the day was read again.",
)
SAMPLE_SOURCES = Table(
    "sample_sources",
    ("resource_id", "metric"),
    {
        "resource_id": "VARCHAR",
        "metric": "VARCHAR",
        "database_samples": "INTEGER",
        "cloudwatch_samples": "INTEGER",
    },
    "Where the samples of the day come from, for each metric of each resource: how many the database had, and how many "
    "CloudWatch filled in.",
)
AWS_TABLES = (AWS_RESOURCES, AWS_SAMPLES, SAMPLE_SOURCES)
