"""One inventory out of two: whose word counts, what things are called, and what is not believed."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import polars as pl

from dagster_project.domain.inventory import first_tag, is_qualified, managed_by, native_name
from dagster_project.lake.aws_tables import AWS_RESOURCES
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.inventory import merged

ACCOUNT, OTHER = "123456789012", "222222222222"
REGION = "eu-west-1"
DAY = date(2025, 3, 9)
BORN = datetime(2025, 1, 1)  # noqa: DTZ001 - naive UTC
Row = dict[str, Any]


def listed(*rows: Row) -> pl.DataFrame:
    """Rows of the database."""
    usual = {
        "resource_type": "ec2_instance", "platform": "linux", "tenancy": "default", "lifecycle": "on-demand", "units": 1,
        "tags": "{}", "config": "{}", "origin": "database",
    }  # fmt: skip
    return pl.DataFrame([{**usual, **row} for row in rows], schema=schema(RESOURCE_INVENTORY))


def seen(*rows: Row) -> pl.DataFrame:
    """Rows of AWS."""
    usual = {
        "account_id": ACCOUNT, "region": REGION, "resource_type": "ec2_instance", "platform": "linux", "tenancy": "default",
        "lifecycle": "on-demand", "units": 1, "tags": "{}", "config": "{}", "read_on": DAY,
    }  # fmt: skip
    return pl.DataFrame([{**usual, **row} for row in rows], schema=schema(AWS_RESOURCES))


def group(name: str, account: str = ACCOUNT, region: str = REGION, **more: Any) -> Row:
    return {"resource_type": "autoscaling_group", "native_id": name, "account_id": account, "region": region, **more}


def one(database: pl.DataFrame, aws: pl.DataFrame) -> Row:
    frame, _ = merged(database, aws, None, "resources")
    (row,) = frame.to_dicts()
    return row


def test_the_database_counts_and_aws_fills_in_what_it_does_not_say() -> None:
    row = one(
        listed({"resource_id": "i-1", "team": "shop", "tags": '{"a": "1"}', "config": '{"instance_type": "m5.large"}'}),
        seen({
            "native_id": "i-1", "team": "other", "service": "checkout", "instance_type": "m5.large",
            "tags": '{"a": "2", "b": "3"}', "config": '{"volumes": 2}', "created_at": BORN,
        }),
    )  # fmt: skip
    assert (row["team"], row["service"], row["instance_type"]) == ("shop", "checkout", "m5.large")
    assert json.loads(row["tags"]) == {"a": "1", "b": "3"}
    assert json.loads(row["config"]) == {"instance_type": "m5.large", "volumes": 2}
    assert (row["account_id"], row["region"], row["created_at"]) == (ACCOUNT, REGION, BORN)
    assert (row["origin"], row["native_id"], row["read_on"]) == ("both", None, DAY)


def test_what_either_knows_to_be_out_of_reach_is_so() -> None:
    row = one(
        listed({"resource_id": "i-1"}),
        seen({
            "native_id": "i-1", "lifecycle": "spot", "tenancy": "dedicated", "platform": "windows", "managed_by": "eks",
            "asg_name": "web",
        }),
    )  # fmt: skip
    told = (row["lifecycle"], row["tenancy"], row["platform"], row["managed_by"], row["asg_name"])
    assert told == ("spot", "dedicated", "windows", "eks", "web")
    row = one(
        listed({"resource_id": "i-1", "lifecycle": "spot", "platform": "rhel", "managed_by": "nomad"}),
        seen({"native_id": "i-1", "managed_by": "ecs"}),
    )
    assert (row["lifecycle"], row["platform"], row["managed_by"]) == ("spot", "rhel", "nomad")


def test_a_size_of_which_they_say_different_things_is_not_known() -> None:
    frame, said = merged(
        listed({"resource_id": "i-1", "instance_type": "m5.xlarge"}), seen({"native_id": "i-1", "instance_type": "m5.large"}),
        None, "resources",
    )  # fmt: skip
    assert frame["instance_type"].to_list() == [None]
    assert [(each.reason, each.resource_id, each.example_value) for each in said] == [
        ("sources_disagree", "i-1", "m5.xlarge, and m5.large in AWS")
    ]


def test_resources_of_one_source_stay() -> None:
    frame, said = merged(
        listed({"resource_id": "i-1"}), seen({"native_id": "i-2", "instance_type": "m5.large"}), None, "resources"
    )
    rows = {row["resource_id"]: row for row in frame.to_dicts()}
    assert {name: row["origin"] for name, row in rows.items()} == {"i-1": "database", "i-2": "aws"}
    assert rows["i-1"]["read_on"] is None
    assert rows["i-2"]["instance_type"] == "m5.large"
    assert said == []


def test_names_that_several_regions_have_say_where_they_are() -> None:
    frame, _ = merged(listed(), seen(group("web"), group("web", region="eu-west-2"), group("api")), None, "resources")
    assert dict(frame.select("resource_id", "native_id").iter_rows()) == {
        "api": None,
        f"{ACCOUNT}/eu-west-1/autoscaling_group/web": "web",
        f"{ACCOUNT}/eu-west-2/autoscaling_group/web": "web",
    }


def test_a_group_and_a_database_of_one_name_are_two() -> None:
    frame, _ = merged(listed(), seen(group("web"), {**group("web"), "resource_type": "rds_instance"}), None, "resources")
    assert sorted(frame["resource_id"]) == [f"{ACCOUNT}/{REGION}/{kind}/web" for kind in ("autoscaling_group", "rds_instance")]


def test_a_resource_keeps_the_id_that_it_had() -> None:
    first, _ = merged(listed(), seen(group("web")), None, "resources")
    assert first["resource_id"].to_list() == ["web"]
    second, _ = merged(listed(), seen(group("web"), group("web", account=OTHER)), first, "resources")
    assert dict(second.select("account_id", "resource_id").iter_rows()) == {
        ACCOUNT: "web",
        OTHER: f"{OTHER}/{REGION}/autoscaling_group/web",
    }
    # Alone again, it is still what it was called.
    third, _ = merged(listed(), seen(group("web", account=OTHER)), second, "resources")
    assert third["resource_id"].to_list() == [f"{OTHER}/{REGION}/autoscaling_group/web"]


def test_a_row_of_the_database_is_the_one_of_its_account_and_region() -> None:
    database = listed({"resource_id": "web", "resource_type": "autoscaling_group", "account_id": OTHER, "region": REGION})
    frame, said = merged(database, seen(group("web"), group("web", account=OTHER)), None, "resources")
    assert dict(frame.select("resource_id", "origin").iter_rows()) == {
        "web": "both",
        f"{ACCOUNT}/{REGION}/autoscaling_group/web": "aws",
    }
    assert said == []


def test_a_row_that_may_be_any_of_several_is_said_and_none_of_them() -> None:
    database = listed({"resource_id": "web", "resource_type": "autoscaling_group"})
    frame, said = merged(database, seen(group("web"), group("web", account=OTHER)), None, "resources")
    assert sorted(frame.filter(pl.col("origin") == "aws")["native_id"]) == ["web", "web"]
    assert frame.filter(pl.col("origin") == "database")["resource_id"].to_list() == ["web"]
    assert [(each.reason, each.resource_id) for each in said] == [("ambiguous_place", "web")]


def test_members_name_their_group_as_the_inventory_calls_it() -> None:
    members = [
        {"native_id": f"i-{number}", "region": region, "asg_name": "web"} for number, region in enumerate((REGION, "eu-west-2"))
    ]
    frame, _ = merged(listed(), seen(*members, group("web"), group("web", region="eu-west-2")), None, "resources")
    rows = dict(frame.select("resource_id", "asg_name").iter_rows())
    assert rows["i-0"] == f"{ACCOUNT}/eu-west-1/autoscaling_group/web"
    assert rows["i-1"] == f"{ACCOUNT}/eu-west-2/autoscaling_group/web"


def test_an_id_that_says_more_than_a_name_is_told_from_a_name_with_slashes() -> None:
    said = f"{ACCOUNT}/us-gov-west-1/autoscaling_group/team/web"
    assert (is_qualified(said), native_name(said)) == (True, "team/web")
    for name in ("team/web", "i-1", f"{ACCOUNT}/web", f"{ACCOUNT}/eu-west-1/ec2_instance/i-1"):
        assert (is_qualified(name), native_name(name)) == (False, name)


def test_tags_tell_who_decides_over_a_resource() -> None:
    assert managed_by({"eks:nodegroup-name": "main"}) == "eks"
    assert managed_by({"kubernetes.io/cluster/main": "owned"}) == "kubernetes"
    assert managed_by({"AmazonECSManaged": ""}) == "ecs"
    assert managed_by({"kubernetes.io/role": "node", "Name": "eks"}) is None


def test_the_first_tag_that_says_something_counts_whatever_its_case() -> None:
    assert first_tag({"Application": "shop", "APP": " ", "other": "x"}, ("service", "app", "application")) == "shop"
    assert first_tag({"other": "x"}, ("service",)) is None
