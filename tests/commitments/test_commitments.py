"""What a commitment is: its size, its family, and what AWS spreads it over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from dagster_project.catalog import INSTANCE_TYPES, RDS_CLASSES
from dagster_project.domain.rightsizing.commitments import (
    EC2_RESERVED,
    RDS_RESERVED,
    Commitment,
    Pool,
    active,
    database_use,
    family_of,
    is_spread,
    is_spread_engine,
    machine_use,
    platform_of,
    reserved_use,
    size_units,
)


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("t3.nano", 0.25), ("t3.micro", 0.5), ("t3.small", 1), ("t3.medium", 2), ("m5.large", 4), ("m5.xlarge", 8),
        ("m5.2xlarge", 16), ("c5.9xlarge", 72), ("m5.24xlarge", 192), ("db.r6g.16xlarge", 128), ("m7i.metal-24xl", 192),
        ("m5.metal", None), ("db.r5.2xlarge.tpc2.mem4x", None), ("db.serverless", None), ("m5", None), ("", None),
    ],
)  # fmt: skip
def test_units_of_sizes_are_those_of_the_documentation(name: str, units: float | None) -> None:
    assert size_units(name) == units


@pytest.mark.parametrize(("path", "key"), [(INSTANCE_TYPES, "instance_type"), (RDS_CLASSES, "instance_class")])
def test_units_are_those_of_the_catalog(path: Any, key: str) -> None:
    known = pl.read_parquet(path).filter(pl.col("size_units").is_not_null(), ~pl.col(key).str.contains(r"\.tpc\d"))
    assert known.height > 60
    assert [size_units(name) for name in known[key]] == known["size_units"].to_list()


def test_a_family_is_what_comes_before_the_size() -> None:
    names = ("m5.large", "m7i-flex.xlarge", "db.r6g.xlarge", "db.r5.2xlarge.tpc2.mem4x")
    assert [family_of(name) for name in names] == ["m5", "m7i-flex", "db.r6g", "db.r5"]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("Linux/UNIX", "linux"), ("Linux/UNIX (Amazon VPC)", "linux"), (None, "linux"), ("linux", "linux"),
        ("Windows with SQL Server Standard (Amazon VPC)", "windows"), ("windows", "windows"),
        ("Red Hat Enterprise Linux", "rhel"), ("rhel", "rhel"), ("SUSE Linux (Amazon VPC)", "suse"), ("FreeBSD", "freebsd"),
    ],
)  # fmt: skip
def test_a_platform_is_called_as_the_inventory_calls_it(text: str | None, platform: str) -> None:
    assert platform_of(text) == platform


@pytest.mark.parametrize(
    ("name", "platform", "tenancy", "spread"),
    [
        ("m5.large", "linux", "default", True), ("m5.large", "windows", "default", False), ("m5.large", "rhel", "default", False),
        ("m5.large", "linux", "dedicated", False), ("g4dn.xlarge", "linux", "default", False),
        ("p5.48xlarge", "linux", "default", False),
        ("g3.4xlarge", "linux", "default", True), ("hpc7a.12xlarge", "linux", "default", False),
    ],
)  # fmt: skip
def test_reservations_are_spread_over_a_family_of_linux_on_shared_hardware(
    name: str, platform: str, tenancy: str, spread: bool
) -> None:
    assert is_spread(name, platform, tenancy) is spread


@pytest.mark.parametrize(
    ("engine", "words", "spread"),
    [
        ("mysql", "", True), ("postgres", "", True), ("mariadb", "", True), ("aurora-mysql", "", True),
        ("aurora-postgresql", "", True), ("oracle-se2", "byol)", True), ("oracle-se2", "li)", False), ("oracle-se2", "", False),
        ("sqlserver-se", "li)", False), ("db2-se", "byol)", True),
    ],
)  # fmt: skip
def test_reserved_databases_are_spread_where_the_licence_is_not_aws_s(engine: str, words: str, spread: bool) -> None:
    assert is_spread_engine(engine, words) is spread


def test_what_runs_is_counted_in_units_of_its_pool() -> None:
    web = machine_use("aws", "us-east-1", "m5.xlarge", None, None, 10, 1.6)
    assert web is not None
    assert (web.pool, web.size, web.units) == (Pool("aws", "us-east-1", "m5", "linux/default"), "m5.xlarge", 80)
    assert machine_use("aws", "us-east-1", "m5.metal", None, None, 1) is None


def test_a_standby_counts_as_much_again_and_matches_only_reservations_for_one() -> None:
    alone = database_use("aws", "us-east-1", "db.r6g.xlarge", "postgres", 1, has_standby=False)
    doubled = database_use("aws", "us-east-1", "db.r6g.xlarge", "postgres", 1, has_standby=True)
    assert alone is not None
    assert doubled is not None
    assert (alone.units, doubled.units, alone.pool == doubled.pool, alone.size == doubled.size) == (8, 16, True, False)
    assert database_use("aws", "us-east-1", "db.serverless", "postgres", 1, has_standby=False) is None


def test_a_reservation_is_a_use_of_its_pool() -> None:
    machines = Commitment("ri-1", "1", EC2_RESERVED, "eu-west-1", "m5", "m5.large", "linux", "default", reserved=3)
    databases = Commitment(
        "ri-2", "1", RDS_RESERVED, "eu-west-1", "db.r6g", "db.r6g.large", engine="mysql", is_multi_az=True, reserved=2
    )
    assert reserved_use(machines, "1") == machine_use("1", "eu-west-1", "m5.large", "linux", "default", 3)
    assert reserved_use(databases, "1") == database_use("1", "eu-west-1", "db.r6g.large", "mysql", 2, has_standby=True)
    unknown = Commitment("ri-3", "1", EC2_RESERVED, "eu-west-1", "m5", "m5.metal", "linux", "default", reserved=3)
    assert reserved_use(unknown, "1") is None
    assert reserved_use(Commitment("ri-4", "1", EC2_RESERVED, "eu-west-1"), "1") is None


def test_a_commitment_pays_from_its_start_until_its_end() -> None:
    def lasting(name: str, starts: int | None, ends: int | None) -> Commitment:
        at = (None if hour is None else datetime(2025, 3, 10, hour) for hour in (starts, ends))  # noqa: DTZ001 - naive UTC
        return Commitment(name, "1", EC2_RESERVED, starts_at=next(at), ends_at=next(at))

    every = [lasting("z", None, None), lasting("b", 3, 5), lasting("c", 4, 5), lasting("d", 2, 3), lasting("a", 2, 4)]
    assert [each.commitment_id for each in active(every, datetime(2025, 3, 10, 3))] == ["a", "b", "z"]  # noqa: DTZ001
