"""What resources are called, and what their tags say: all tags by which a service says that it decides over a machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.inventory import GROUP_TAG, first_tag, is_qualified, managed_by, native_name, qualified

INNER = "222222222222/us-gov-west-1/rds_instance/orders"


@pytest.mark.parametrize(
    ("tag", "owner"),
    [
        ("eks:cluster-name", "eks"),
        ("eks:nodegroup-name", "eks"),
        ("aws:eks:cluster-name", "eks"),
        ("aws:ecs:clusterName", "ecs"),
        ("AmazonECSManaged", "ecs"),
        ("aws:ecs:serviceName", "ecs"),
        ("karpenter.sh/nodepool", "kubernetes"),
        ("karpenter.sh/provisioner-name", "kubernetes"),
        ("kops.k8s.io/instancegroup", "kubernetes"),
        ("kubernetes.io/cluster/main", "kubernetes"),
        ("aws:elasticmapreduce:job-flow-id", "emr"),
        ("elasticbeanstalk:environment-id", "elasticbeanstalk"),
        ("AWSBatchServiceTag", "batch"),
    ],
)
def test_a_tag_of_a_service_says_that_it_decides_whatever_its_value(tag: str, owner: str) -> None:
    assert managed_by({"Name": "web", tag: ""}) == owner
    assert managed_by({tag: "owned", "zone": "a"}) == owner


def test_other_tags_say_nothing_of_who_decides() -> None:
    assert managed_by({}) is None
    assert managed_by({"kubernetes": "1", "my/kubernetes.io/cluster/main": "1", "eks": "1", GROUP_TAG: "web"}) is None


def test_the_service_that_is_more_exact_counts() -> None:
    assert managed_by({"kubernetes.io/cluster/main": "owned", "eks:nodegroup-name": "a"}) == "eks"
    assert managed_by({"karpenter.sh/nodepool": "a", "eks:cluster-name": "main"}) == "eks"


def test_members_of_a_group_have_the_tag_that_aws_gives_them() -> None:
    assert GROUP_TAG == "aws:autoscaling:groupName"


@pytest.mark.parametrize(
    ("tags", "value"),
    [
        ({"service": "a"}, "a"),
        ({"SERVICE": " a "}, "a"),
        ({"app": "b", "service": "a"}, "a"),
        ({"app": "b", "service": " "}, "b"),
        ({"app": "b", "service": ""}, "b"),
        # Where names differ by their case only, the order of letters decides, and not that of AWS's answer.
        ({"service": "small", "Service": "large"}, "large"),
        ({"Service": "large", "service": "small"}, "large"),
        ({"services": "a"}, None),
        ({}, None),
    ],
)
def test_the_first_tag_that_says_something_counts(tags: dict[str, str], value: str | None) -> None:
    assert first_tag(tags, ("Service", "app")) == value


def test_no_names_find_no_tag() -> None:
    assert first_tag({"service": "a"}, ()) is None


@pytest.mark.parametrize(
    ("resource_id", "name"),
    [
        ("111111111111/eu-west-1/autoscaling_group/web", "web"),
        ("111111111111/ap-southeast-2/rds_instance/orders", "orders"),
        ("111111111111/us-gov-west-1/autoscaling_group/a/b", "a/b"),
        # A group may be called as others are in full.
        (f"111111111111/eu-west-1/autoscaling_group/{INNER}", INNER),
    ],
)
def test_an_id_in_full_has_the_name_at_its_end(resource_id: str, name: str) -> None:
    assert is_qualified(resource_id)
    assert native_name(resource_id) == name


@pytest.mark.parametrize(
    "name",
    [
        "web", "i-1", "team/web", f"x/{INNER}", f"1{INNER}", "111111111111/eu-west-1/ec2_instance/i-1",
        "11111111111/eu-west-1/autoscaling_group/web", "111111111111/eu-west/autoscaling_group/web", "111111111111/eu-west-1/web",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_a_name(name: str) -> None:
    assert not is_qualified(name)
    assert native_name(name) == name


@given(
    st.sampled_from(["autoscaling_group", "rds_instance"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_a_name_is_found_again_in_its_id(kind: str, name: str) -> None:
    assert native_name(qualified("111111111111", "eu-west-1", kind, name)) == name
