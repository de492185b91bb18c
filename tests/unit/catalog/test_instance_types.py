"""Descriptions of instance types as EC2 gives them, and the columns of the catalog that come of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import polars as pl
import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES as DESCRIBED

from dagster_project.catalog import INSTANCE_TYPES
from dagster_project.domain.sold import InstanceType, size_units
from dagster_project.sources.instance_types import PERMISSIONS, read_offered, read_types

REGION = "eu-west-1"
Json = dict[str, Any]


class Pages:
    """A connection that answers with some pages, and notes what it was asked."""

    def __init__(self, *pages: Json) -> None:
        self._pages = pages
        self.asked: list[tuple[str, Json]] = []

    def pages(self, operation: Any, thing: str, **parameters: Any) -> Iterator[Json]:
        self.asked.append((operation.name, parameters))
        yield from self._pages


def read(*told: Json) -> tuple[list[InstanceType], list[str]]:
    return read_types(Pages({"InstanceTypes": list(told)}), REGION)  # type: ignore[arg-type]


def described(name: str = "m5.large", **changes: Any) -> Json:
    told = {**copy.deepcopy(DESCRIBED[name]), **changes}
    return {member: value for member, value in told.items() if value is not None}


def one(told: Json) -> InstanceType:
    types, left_out = read(told)
    assert left_out == []
    return types[0]


def test_every_type_of_the_shipped_catalog_is_read_as_it_is_shipped() -> None:
    types, left_out = read(*(copy.deepcopy(each) for each in DESCRIBED.values()))
    assert left_out == []
    shipped = pl.read_parquet(INSTANCE_TYPES).drop("burst_baseline_pct")
    told = pl.DataFrame([asdict(each) for each in types], schema=shipped.schema)
    assert told.height == shipped.height == 1395
    assert told.equals(shipped, null_equal=True)


def test_a_type_has_every_column_but_the_baseline_that_aws_does_not_tell() -> None:
    columns = pl.read_parquet_schema(INSTANCE_TYPES)
    assert [each.name for each in fields(InstanceType)] == [name for name in columns if name != "burst_baseline_pct"]


def test_pages_are_asked_for_at_their_largest_and_joined_by_name() -> None:
    connection = Pages({"InstanceTypes": [described("m5.xlarge")]}, {"InstanceTypes": [described("c5.large")]}, {})
    types, _ = read_types(connection, REGION)  # type: ignore[arg-type]
    assert [each.instance_type for each in types] == ["c5.large", "m5.xlarge"]
    assert connection.asked == [("DescribeInstanceTypes", {"MaxResults": 100})]


def test_offered_are_those_of_the_region() -> None:
    told = [{"InstanceType": name, "LocationType": "region", "Location": REGION} for name in ("m5.large", "t3.nano")]
    connection = Pages({"InstanceTypeOfferings": told[:1]}, {"InstanceTypeOfferings": told[1:]})
    assert read_offered(connection, REGION) == {"m5.large", "t3.nano"}  # type: ignore[arg-type]
    assert connection.asked == [("DescribeInstanceTypeOfferings", {"LocationType": "region", "MaxResults": 1000})]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"VCpuInfo": {"DefaultVCpus": 0}}, "has no vCPU"),
        ({"VCpuInfo": None}, "has no vCPU"),
        ({"MemoryInfo": {"SizeInMiB": 0}}, "has no memory"),
        ({"MemoryInfo": None}, "has no memory"),
        ({"ProcessorInfo": {"SupportedArchitectures": ["riscv64"]}}, "has the architecture riscv64, which is not known"),
        ({"ProcessorInfo": {"SupportedArchitectures": ["arm64", "riscv64"]}}, "has the architecture arm64, riscv64"),
        ({"ProcessorInfo": {}}, "has the architecture of nothing, which is not known"),
        ({"InstanceType": "m5"}, "has a name that no size has"),
        ({"InstanceType": "m5.large.odd"}, "has a name that no size has"),
        ({"SupportedVirtualizationTypes": None}, "does not say what it virtualizes"),
        ({"BareMetal": None}, "does not say BareMetal"),
        ({"BurstablePerformanceSupported": None, "CurrentGeneration": None}, "not say BurstablePerformanceSupported, CurrentGen"),
    ],
)  # fmt: skip
def test_what_does_not_say_what_a_size_is_judged_by_is_left_out(changes: Json, why: str) -> None:
    types, left_out = read(described(**changes), described("m5.xlarge"))
    assert [each.instance_type for each in types] == ["m5.xlarge"]
    assert len(left_out) == 1 and why in left_out[0] and left_out[0].endswith("; it is left out.")


def test_a_type_without_a_name_does_not_end_the_reading() -> None:
    assert read(described(InstanceType=None)) == (
        [],
        ["A type without a name in eu-west-1 has a name that no size has; it is left out."],
    )


def cards(*gbps: float | None) -> Json:
    listed = [
        {"NetworkCardIndex": i, **({"BaselineBandwidthInGbps": each} if each is not None else {})} for i, each in enumerate(gbps)
    ]
    return {**copy.deepcopy(DESCRIBED["m5.large"]["NetworkInfo"]), "NetworkCards": listed}


@pytest.mark.parametrize(
    ("gbps", "sustained"),
    [((0.75,), 0.75), ((100.0, 100.0), 200.0), ((100.0, None), None), ((None,), None), ((0.0,), None), ((), None)],
)
def test_a_network_sustains_what_all_its_cards_do_and_is_unknown_where_one_is(
    gbps: tuple[float | None, ...], sustained: float | None
) -> None:
    assert one(described(NetworkInfo=cards(*gbps))).network_baseline_gbps == sustained


def test_disk_limits_that_are_not_told_are_unknown_and_none_is_no_limit() -> None:
    told = one(described(EbsInfo={"EbsOptimizedSupport": "unsupported", "EncryptionSupport": "supported"}))
    assert (told.ebs_baseline_mbps, told.ebs_baseline_iops, told.nvme_support) == (None, None, None)
    told = one(described(EbsInfo={"EbsOptimizedInfo": {"BaselineBandwidthInMbps": 0, "BaselineIops": 3600}}))
    assert (told.ebs_baseline_mbps, told.ebs_baseline_iops) == (None, 3600)


@pytest.mark.parametrize(
    ("size", "units"),
    [
        ("nano", 0.25), ("micro", 0.5), ("small", 1), ("medium", 2), ("large", 4), ("xlarge", 8), ("2xlarge", 16),
        ("480xlarge", 3840), ("metal", None), ("metal-24xl", None), ("0xlarge", None), ("tiny", None),
    ],
)  # fmt: skip
def test_units_of_sizes(size: str, units: float | None) -> None:
    assert size_units(size) == units


def test_what_the_account_needs() -> None:
    assert PERMISSIONS == ("ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes")
