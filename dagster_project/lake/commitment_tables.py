"""The contract of the table of commitments, a part for each account and region, and one for an account's Savings Plans."""

from __future__ import annotations

from dagster_project.lake.table import Table

AWS_COMMITMENTS = Table(
    "aws_commitments",
    ("commitment_id",),
    {
        "commitment_id": "VARCHAR",
        "account_id": "VARCHAR",
        "kind": "VARCHAR",
        "region": "VARCHAR",
        "family": "VARCHAR",
        "instance_type": "VARCHAR",
        "platform": "VARCHAR",
        "tenancy": "VARCHAR",
        "engine": "VARCHAR",
        "is_multi_az": "BOOLEAN",
        "is_size_flexible": "BOOLEAN",
        "availability_zone": "VARCHAR",
        "offering_class": "VARCHAR",
        "reserved": "INTEGER",
        "units": "DOUBLE",
        "usd_per_hour": "DOUBLE",
        "starts_at": "TIMESTAMP",
        "ends_at": "TIMESTAMP",
    },
    "Active Reserved Instances, reserved databases and Savings Plans of each account that is read, as of the night after the "
    "day. kind: ec2_reserved, rds_reserved, ec2_instance_plan, compute_plan or database_plan. units are normalised size units of "
    "all that is reserved (null: the size does not say), usd_per_hour what the whole of it costs an hour with what was paid up "
    "front spread over its term; of a plan, its commitment. A region of null is every region.",
)
COMMITMENT_TABLES = (AWS_COMMITMENTS,)
