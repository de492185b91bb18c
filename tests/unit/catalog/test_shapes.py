"""The shipped catalog as the rules see it: numbers of sizes that everybody knows."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.catalog.shapes import _architecture, ec2_shapes, rds_shapes
from dagster_project.domain.rightsizing.shapes import Shapes

REGION = "us-east-1"


def place(shapes: Shapes, name: str) -> int:
    number = shapes.number_of(name)
    assert number >= 0, f"{name} is not in the catalog"
    return number


@pytest.mark.parametrize(
    ("name", "capacity", "usd"),
    [
        # vCPU, GiB, Gbit/s, Mbit/s, IOPS: baselines, where the advertised network of all three is "up to 10 Gbit/s"
        ("m5.large", (2, 8, 0.75, 650, 3600), 0.096),
        ("m5.xlarge", (4, 16, 1.25, 1150, 6000), 0.192),
        ("m5.2xlarge", (8, 32, 2.5, 2300, 12000), 0.384),
    ],
)
def test_capacities_are_baselines_and_prices_those_of_the_region(name: str, capacity: tuple[float, ...], usd: float) -> None:
    shapes = ec2_shapes(REGION)
    assert shapes.capacity[place(shapes, name)].tolist() == pytest.approx(capacity)
    assert shapes.usd_per_hour[place(shapes, name)] == pytest.approx(usd)


def test_every_column_has_a_row_for_every_size() -> None:
    shapes = ec2_shapes(REGION)
    assert len(shapes) == len(set(shapes.names)) > 1000
    for column in Shapes.__dataclass_fields__:
        assert len(getattr(shapes, column)) == len(shapes), column
    assert list(shapes.names) == sorted(shapes.names)


def test_vcpus_memory_and_network_are_known_of_every_size_and_are_positive() -> None:
    assert (ec2_shapes(REGION).capacity[:, :3] > 0).all()


def test_a_price_is_known_or_not_but_never_nothing() -> None:
    price = ec2_shapes(REGION).usd_per_hour
    assert (np.isnan(price) | (price > 0)).all()
    assert np.isfinite(price).sum() > 1000


def test_doubtful_prices_are_no_prices() -> None:
    shapes = ec2_shapes(REGION)
    assert np.isnan(shapes.usd_per_hour[place(shapes, "x8i.96xlarge")])
    assert shapes.price_quality[place(shapes, "x8i.96xlarge")] == "doubtful"
    assert shapes.price_quality[place(shapes, "m5.large")] == "listed"
    assert shapes.price_source[place(shapes, "m5.large")] and shapes.price_as_of[place(shapes, "m5.large")]


@pytest.mark.parametrize("region", [None, "mars-north-1"])
def test_where_nothing_is_sold_sizes_are_known_and_prices_are_not(region: str | None) -> None:
    shapes = ec2_shapes(region)
    assert list(shapes.names) == list(ec2_shapes(REGION).names)
    assert np.isnan(shapes.usd_per_hour).all()
    assert shapes.candidates(place(shapes, "m5.4xlarge"), "cheapest").size == 0


@pytest.mark.parametrize(
    ("name", "architecture", "driver"),
    [
        ("m5.large", "x86_64", "nitro/required/required"),
        ("m6g.large", "arm64", "nitro/required/required"),
        ("m4.large", "x86_64", "xen/unsupported/unsupported"),
        ("c1.medium", "x86_64", "xen/unsupported/unsupported"),  # i386 too
    ],
)
def test_what_a_guest_needs_to_boot(name: str, architecture: str, driver: str) -> None:
    shapes = ec2_shapes(REGION)
    assert (shapes.architectures[place(shapes, name)], shapes.drivers[place(shapes, name)]) == (architecture, driver)


@pytest.mark.parametrize(
    ("listed", "taken"),
    [
        ("x86_64", "x86_64"),
        ("i386,x86_64", "x86_64"),
        ("arm64", "arm64"),
        ("x86_64_mac", "x86_64_mac"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_of_several_architectures_the_present_one_counts(listed: str | None, taken: str) -> None:
    assert _architecture(listed) == taken


@pytest.mark.parametrize(("name", "baseline"), [("t3.large", 30), ("t3.micro", 10), ("t4g.xlarge", 40), ("m5.large", None)])
def test_baselines_of_burstable_sizes(name: str, baseline: float | None) -> None:
    shapes = ec2_shapes(REGION)
    found = shapes.burst_baseline_pct[place(shapes, name)]
    assert np.isnan(found) if baseline is None else found == baseline


@pytest.mark.parametrize(
    "name", ["g4dn.xlarge", "p3dn.24xlarge", "inf1.xlarge", "trn1.2xlarge", "vt1.3xlarge", "gr6.4xlarge", "f2.6xlarge"]
)
def test_families_with_accelerators(name: str) -> None:
    shapes = ec2_shapes(REGION)
    assert shapes.is_accelerated[place(shapes, name)]


@pytest.mark.parametrize("name", ["m5.large", "t3.large", "r5.large", "i3.large", "hpc6a.48xlarge", "d2.xlarge", "m5.metal"])
def test_families_without_accelerators(name: str) -> None:
    shapes = ec2_shapes(REGION)
    assert not shapes.is_accelerated[place(shapes, name)]


def test_local_disks_bare_metal_and_generations() -> None:
    shapes = ec2_shapes(REGION)
    assert shapes.local_disk_gb[place(shapes, "m5d.xlarge")] == 150
    assert shapes.local_disk_gb[place(shapes, "m5.xlarge")] == 0
    assert shapes.is_bare_metal[place(shapes, "m5.metal")] and not shapes.is_bare_metal[place(shapes, "m5.24xlarge")]
    assert (
        shapes.is_current_generation[place(shapes, "m7i.large")] and not shapes.is_current_generation[place(shapes, "m3.large")]
    )


def test_attachments() -> None:
    shapes = ec2_shapes(REGION)
    number = place(shapes, "m5.xlarge")
    assert (shapes.interfaces[number], shapes.volumes[number]) == (4, 27)


def test_one_step_from_a_real_size() -> None:
    shapes = ec2_shapes(REGION)
    for present, smaller in (("m5.4xlarge", "m5.2xlarge"), ("t3.large", "t3.medium"), ("c6g.xlarge", "c6g.large")):
        assert [shapes.names[i] for i in shapes.candidates(place(shapes, present), "one-step")] == [smaller]


def test_no_candidate_of_a_real_size_costs_more_or_would_not_boot() -> None:
    shapes = ec2_shapes(REGION)
    for present in ("m5.4xlarge", "m6g.4xlarge", "m4.4xlarge", "r6i.8xlarge", "t3.2xlarge", "x2idn.16xlarge", "m7i-flex.4xlarge"):
        number = place(shapes, present)
        found = shapes.candidates(number, "cheapest")
        assert found.size
        assert (shapes.usd_per_hour[found] < shapes.usd_per_hour[number]).all()
        assert (np.diff(shapes.usd_per_hour[found]) >= 0).all()
        assert {shapes.architectures[i] for i in found} == {shapes.architectures[number]}
        assert {shapes.drivers[i] for i in found} == {shapes.drivers[number]}
        assert not shapes.local_disk_gb[found].any() and not shapes.is_bare_metal[found].any()


class TestDatabases:
    def test_classes_have_the_prices_of_their_engine(self) -> None:
        postgres, oracle = rds_shapes(REGION, "postgres"), rds_shapes(REGION, "no such engine")
        name = "db.m5.large"
        assert postgres.usd_per_hour[place(postgres, name)] == pytest.approx(0.178)
        assert np.isnan(oracle.usd_per_hour).all() and len(oracle) == len(postgres)
        assert np.isnan(rds_shapes(None, None).usd_per_hour).all()

    def test_they_have_vcpus_memory_and_nothing_to_attach(self) -> None:
        shapes = rds_shapes(REGION, "postgres")
        number = place(shapes, "db.m5.large")
        assert shapes.capacity[number, :2].tolist() == [2, 8]
        assert np.isinf(shapes.interfaces).all() and np.isinf(shapes.volumes).all()
        assert not shapes.is_accelerated.any()

    def test_a_smaller_class_of_a_family(self) -> None:
        shapes = rds_shapes(REGION, "postgres")
        found = shapes.candidates(place(shapes, "db.m5.4xlarge"), "one-step")
        assert [shapes.names[i] for i in found] == ["db.m5.2xlarge"]
