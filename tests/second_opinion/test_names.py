"""How AWS names resources in what it recommends, and how its words are read."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.catalog import INSTANCE_TYPES, RDS_CLASSES
from dagster_project.sources.recommendations import Named, parsed, type_in, word

GROUP = "arn:aws:autoscaling:eu-west-1:111111111111:autoScalingGroup:2e9e1f53-80f6-4a59:autoScalingGroupName/"


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc1", "ec2_instance", "i-0abc1"),
        (GROUP + "web", "autoscaling_group", "web"),
        (GROUP + "web/blue:2024", "autoscaling_group", "web/blue:2024"),
        ("arn:aws:rds:eu-west-1:111111111111:db:orders-1", "rds_instance", "orders-1"),
        ("arn:aws-us-gov:ec2:us-gov-west-1:111111111111:instance/i-0abc1", "ec2_instance", "i-0abc1"),
    ],
)
def test_an_arn_names_a_resource_of_an_account_and_region(arn: str, kind: str, name: str) -> None:
    assert parsed(arn) == Named("111111111111", arn.split(":")[3], kind, name, arn)


@pytest.mark.parametrize(
    "arn",
    [
        None,
        "",
        "i-0abc1",
        "arn:aws:ec2:eu-west-1:111111111111:volume/vol-1",
        "arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc1/more",
        "arn:aws:ec2:eu-west-1:111111111111:instance/i-0ABC",
        "arn:aws:ec2:eu-west-1::instance/i-0abc1",
        "arn:aws:ec2:eu-west-1:1111:instance/i-0abc1",
        "arn:aws:ec2::111111111111:instance/i-0abc1",
        "arn:other:ec2:eu-west-1:111111111111:instance/i-0abc1",
        "arn:aws:rds:eu-west-1:111111111111:cluster:orders",
        "arn:aws:rds:eu-west-1:111111111111:db:orders:snapshot",
        "arn:aws:autoscaling:eu-west-1:111111111111:autoScalingGroup:web",
        GROUP,
        "x arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc1",
    ],
)
def test_what_names_no_resource_of_ours_is_none(arn: str | None) -> None:
    assert parsed(arn) is None


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_a_groups_name_is_all_that_is_left(name: str) -> None:
    found = parsed(GROUP + name)
    assert found is not None
    assert found.native_id == name


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("m5.large", "m5.large"),
        ("db.r6g.2xlarge, Multi-AZ", "db.r6g.2xlarge"),
        ("2 x c7gn.metal", "c7gn.metal"),
        ("m5.large to m5.large", "m5.large"),
        ("m5.large, m6i.large", None),
        ("db.r5.large.tpc1.mem2x", None),
        ("100 GB gp3", None),
        ("", None),
        (None, None),
    ],
)
def test_the_one_type_that_a_text_names(text: str | None, kind: str | None) -> None:
    assert type_in(text) == kind


def test_every_type_of_the_catalog_is_seen_in_a_text() -> None:
    names = [
        *pl.read_parquet(INSTANCE_TYPES)["instance_type"].to_list(),
        *(name for name in pl.read_parquet(RDS_CLASSES)["instance_class"].to_list() if ".tpc" not in name),
    ]
    assert len(names) > 500
    assert [name for name in names if type_in(f"1 {name} instance") != name] == []


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("OVER_PROVISIONED", "over_provisioned"),
        ("Overprovisioned", "over_provisioned"),
        ("UNDER_PROVISIONED", "under_provisioned"),
        ("Underprovisioned", "under_provisioned"),
        ("NOT_OPTIMIZED", "not_optimized"),
        ("NotOptimized", "not_optimized"),
        ("Optimized", "optimized"),
        ("MigrateToGraviton", "migrate_to_graviton"),
        ("ScaleIn", "scale_in"),
        (None, ""),
    ],
)
def test_words_are_one_whatever_way_aws_writes_them(theirs: str | None, ours: str) -> None:
    assert word(theirs) == ours
