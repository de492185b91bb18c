"""RDS instances as AWS documents them, and since when their class is what it is."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.sources.aws_resources import AwsResource
from dagster_project.sources.rds_instances import databases
from tests.unit.live_aws.documented import documented, scope

NOW = datetime(2025, 3, 10, 2)
FORTNIGHT = NOW - timedelta(days=14) + timedelta(minutes=1)
"""Since when RDS is asked: it remembers 14 days, and the clocks may differ."""
DOCUMENTED: dict[str, Any] = {
    "DBInstanceIdentifier": "mydbinstancecf",
    "DBInstanceClass": "db.t3.small",
    "Engine": "mysql",
    "DBInstanceStatus": "available",
    "MasterUsername": "masterawsuser",
    "Endpoint": {
        "Address": "mydbinstancecf.abcexample.us-east-1.rds.amazonaws.com",
        "Port": 3306,
        "HostedZoneId": "Z2R2ITUGPM61AM",
    },
}
"""The instance of ``aws rds describe-db-instances`` in AWS's documentation, which shows no more of it."""
WHOLE: dict[str, Any] = {
    **DOCUMENTED,
    "DBInstanceClass": "db.r5.2xlarge",
    "AllocatedStorage": 400,
    "InstanceCreateTime": "2021-05-04T05:06:07.089+02:00",
    "AvailabilityZone": "us-east-1b",
    "PendingModifiedValues": {},
    "MultiAZ": True,
    "EngineVersion": "8.0.36",
    "ReadReplicaSourceDBInstanceIdentifier": "primary",
    "LicenseModel": "general-public-license",
    "Iops": 12000,
    "StorageType": "gp3",
    "StorageThroughput": 500,
    "TagList": [{"Key": "service", "Value": "orders"}, {"Key": "flag"}],
}
CREATED = datetime(2021, 5, 4, 3, 6, 7, 89000)


def event(at: str, name: str = "mydbinstancecf", *categories: str) -> dict[str, Any]:
    """An event, as the documentation has them."""
    return {
        "SourceType": "db-instance",
        "SourceIdentifier": name,
        "EventCategories": [*categories] or ["configuration change"],
        "Message": "Finished applying modification to DB instance class",
        "Date": at,
        "SourceArn": f"arn:aws:rds:us-east-1:123456789012:db:{name}",
    }


def read(*listed: dict[str, Any], events: tuple[dict[str, Any], ...] = ()) -> list[AwsResource]:
    answers: dict[str, Any] = {"DescribeDBInstances": [{"DBInstances": [*listed]}], "DescribeEvents": [{"Events": [*events]}]}
    return list(databases(scope("us-east-1", **answers), lambda: NOW))


def test_the_documented_instance() -> None:
    assert read(DOCUMENTED) == [
        AwsResource(
            resource_type="rds_instance",
            native_id="mydbinstancecf",
            instance_type="db.t3.small",
            units=1,
            tags={},
            config={"instance_type": "db.t3.small", "region": "us-east-1", "engine": "mysql", "state": "available"},
            created_at=None,
            held_since=FORTNIGHT,
        )
    ]


def test_an_instance_with_all_that_can_be_said_of_it() -> None:
    assert read(WHOLE) == [
        AwsResource(
            resource_type="rds_instance",
            native_id="mydbinstancecf",
            instance_type="db.r5.2xlarge",
            platform=None,
            tenancy=None,
            lifecycle=None,
            asg_name=None,
            managed_by=None,
            units=1,
            tags={"service": "orders", "flag": ""},
            config={
                "instance_type": "db.r5.2xlarge",
                "region": "us-east-1",
                "availability_zone": "us-east-1b",
                "engine": "mysql",
                "engine_version": "8.0.36",
                "multi_az": True,
                "storage_type": "gp3",
                "size_gib": 400,
                "iops": 12000,
                "throughput_mibps": 500,
                "replica_of": "primary",
                "license_model": "general-public-license",
                "state": "available",
            },
            created_at=CREATED,
            held_since=FORTNIGHT,
        )
    ]


def test_a_member_of_an_aurora_cluster_names_it_and_a_single_zone_is_no_gap() -> None:
    aurora = {
        **DOCUMENTED, "Engine": "aurora-postgresql", "DBClusterIdentifier": "orders", "AllocatedStorage": 1,
        "StorageType": "aurora", "DBInstanceClass": "db.serverless", "MultiAZ": False,
    }  # fmt: skip
    (found,) = read(aurora)
    assert found.instance_type == "db.serverless"
    assert found.config == {
        "instance_type": "db.serverless",
        "region": "us-east-1",
        "engine": "aurora-postgresql",
        "multi_az": False,
        "storage_type": "aurora",
        "size_gib": 1,
        "cluster": "orders",
        "state": "available",
    }


def test_a_class_that_is_yet_to_come_is_not_the_class() -> None:
    (found,) = read({**WHOLE, "PendingModifiedValues": {"DBInstanceClass": "db.r5.large", "AllocatedStorage": 800}})
    assert (found.instance_type, found.config["instance_type"], found.config["size_gib"]) == (
        "db.r5.2xlarge",
        "db.r5.2xlarge",
        400,
    )
    assert found.held_since == FORTNIGHT


def test_databases_are_asked_for_before_their_events_page_by_page_up_to_now() -> None:
    first, second = DOCUMENTED, {**DOCUMENTED, "DBInstanceIdentifier": "other"}
    changed = event("2025-03-05T00:00:00Z", "other")
    answers: dict[str, Any] = {
        "DescribeDBInstances": [{"DBInstances": [first], "Marker": "more"}, {"DBInstances": [second]}],
        "DescribeEvents": [{"Events": [], "Marker": "later"}, {"Events": [changed]}],
    }
    place = scope("us-east-1", **answers)

    def clock() -> datetime:
        assert len(documented(place).asked) == 2, "what is changed while databases are listed must be younger than that"
        return NOW

    assert {each.native_id: each.held_since for each in databases(place, clock)} == {
        "mydbinstancecf": FORTNIGHT,
        "other": datetime(2025, 3, 5),
    }
    events = {
        "SourceType": "db-instance",
        "EventCategories": ["configuration change"],
        "StartTime": datetime(2025, 2, 24, 2, 1, tzinfo=UTC),
        "EndTime": datetime(2025, 3, 10, 2, tzinfo=UTC),
        "MaxRecords": 100,
    }
    assert documented(place).asked == [
        ("DescribeDBInstances", {"MaxRecords": 100}),
        ("DescribeDBInstances", {"MaxRecords": 100, "Marker": "more"}),
        ("DescribeEvents", events),
        ("DescribeEvents", {**events, "Marker": "later"}),
    ]


def test_a_region_without_databases_has_none() -> None:
    assert read() == []


# Since when.


def held(*events: dict[str, Any], **changed: Any) -> datetime | None:
    (found,) = read({**WHOLE, **changed}, events=events)
    return found.held_since


def test_the_last_change_of_a_configuration_may_have_been_that_of_the_class() -> None:
    listed = [event("2025-03-01T12:00:00Z"), event("2025-03-08T12:30:00+01:00"), event("2025-03-04T12:00:00Z")]
    assert held(*listed) == datetime(2025, 3, 8, 11, 30)
    assert held(*reversed(listed)) == datetime(2025, 3, 8, 11, 30)


def test_events_of_others_and_of_other_kinds_say_nothing() -> None:
    # The documented ones are of a backup.
    assert held(event("2018-07-31T23:09:23.983Z", "test-instance", "backup"), event("2025-03-09T00:00:00Z", "other")) == FORTNIGHT
    assert held(event("2025-03-09T00:00:00Z", "mydbinstancecf", "backup")) == FORTNIGHT
    assert held({**event("2025-03-09T00:00:00Z"), "EventCategories": []}) == FORTNIGHT
    assert held(event("2025-03-09T00:00:00Z", "mydbinstancecf", "backup", "configuration change")) == datetime(2025, 3, 9)


@pytest.mark.parametrize(
    ("created", "changed", "since"),
    [
        ("2025-03-07T00:00:00Z", None, datetime(2025, 3, 7)),
        ("2025-03-07T00:00:00Z", "2025-03-08T00:00:00Z", datetime(2025, 3, 8)),
        # The name was another one's.
        ("2025-03-07T00:00:00Z", "2025-03-02T00:00:00Z", datetime(2025, 3, 7)),
        ("2021-01-01T00:00:00Z", None, FORTNIGHT),
        ("2021-01-01T00:00:00Z", "2025-02-25T00:00:00Z", datetime(2025, 2, 25)),
    ],
)
def test_a_class_is_no_older_than_its_database_nor_than_what_rds_remembers(
    created: str, changed: str | None, since: datetime
) -> None:
    (found,) = read({**WHOLE, "InstanceCreateTime": created}, events=() if changed is None else (event(changed),))
    assert found.held_since == since


def test_of_a_database_that_is_being_changed_nothing_is_known() -> None:
    assert held(DBInstanceStatus="modifying") is None
    assert held(event("2025-03-01T12:00:00Z"), DBInstanceStatus="modifying") is None
    (found,) = read({**WHOLE, "DBInstanceStatus": "modifying"})
    assert (found.instance_type, found.config["state"]) == ("db.r5.2xlarge", "modifying")


@pytest.mark.parametrize("status", ["available", "backing-up", "storage-optimization", "stopped", "rebooting"])
def test_of_every_other_one_the_class_is_what_it_was(status: str) -> None:
    assert held(DBInstanceStatus=status) == FORTNIGHT


def test_a_database_that_is_being_made_is_not_a_fortnight_old() -> None:
    (found,) = read({**DOCUMENTED, "DBInstanceStatus": "creating"})
    assert (found.created_at, found.held_since) == (None, None)
