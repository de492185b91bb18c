"""How two catalogs differ, and when a refresh is not believed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.catalog.diff import diff
from dagster_project.catalog.shapes import SHIPPED, Catalog
from dagster_project.domain.catalog_changes import Changed, Market, Move
from dagster_project.domain.sold import size_units
from tests.catalog_builders import DAY, REGION, catalog, database, kind, nothing, sold

LATER = date(2025, 4, 1)
# Families of their own, so that a price is compared with that of no other size.
NAMES = [f"{chr(97 + place // 26)}{chr(97 + place % 26)}1.large" for place in range(100)]
PRICES = dict.fromkeys(NAMES, 0.1)


@pytest.fixture
def first(tmp_path: Path) -> Catalog:
    listed = [database(f"db.{name}", "MySQL", 0.2) for name in NAMES]
    return catalog(tmp_path / "first", nothing(tmp_path / "nothing"), sold(PRICES, *listed))


def markets(first: Catalog, folder: Path, prices: dict[str, Any], *databases: Any, **changes: Any) -> tuple[Market, Market]:
    now = catalog(folder / "now", first, sold(prices, *databases, **changes), day=LATER)
    found = diff(first, now, [REGION], LATER)
    assert [(each.region, each.service) for each in found.markets] == [(REGION, "EC2"), (REGION, "RDS")]
    return found.markets[0], found.markets[1]


def test_what_is_new_gone_and_moved(first: Catalog, tmp_path: Path) -> None:
    prices = {**PRICES, "m5.large": 0.3, NAMES[1]: 0.12}
    del prices[NAMES[0]]
    listed = [database(f"db.{name}", "MySQL", 0.2) for name in NAMES[:-1]]
    ec2, rds = markets(first, tmp_path, prices, *listed, database(f"db.{NAMES[0]}", "MariaDB", 0.25))
    assert (ec2.sizes_before, ec2.sizes, ec2.new_sizes, ec2.gone_sizes) == (100, 100, ("m5.large",), (NAMES[0],))
    assert (ec2.prices_before, ec2.prices, ec2.new_prices, ec2.gone_prices) == (100, 100, ("m5.large",), (NAMES[0],))
    assert (ec2.moved, ec2.compared) == ((Move(NAMES[1], None, 0.1, 0.12),), 99)
    assert ec2.moved[0].share == pytest.approx(0.2)
    assert (rds.sizes_before, rds.sizes, rds.new_sizes, rds.gone_sizes) == (100, 99, (), (f"db.{NAMES[-1]}",))
    assert (rds.new_prices, rds.gone_prices) == ((f"db.{NAMES[0]} mariadb",), (f"db.{NAMES[-1]} mysql",))
    assert ec2.objections == rds.objections == ()


@pytest.mark.parametrize(("gone", "objections"), [(5, 0), (6, 2)])
def test_a_region_may_lose_five_of_a_hundred_types(first: Catalog, tmp_path: Path, gone: int, objections: int) -> None:
    ec2, _ = markets(first, tmp_path, {name: PRICES[name] for name in NAMES[gone:]})
    assert len(ec2.objections) == objections
    if objections:
        assert ec2.objections == (
            "eu-west-1 would lose 6 of 100 (6 %) instance types.",
            "eu-west-1 would lose 6 of 100 (6 %) prices of EC2.",
        )


@pytest.mark.parametrize(("gone", "objections"), [(5, 0), (6, 1)])
def test_a_price_that_cannot_be_trusted_is_lost(first: Catalog, tmp_path: Path, gone: int, objections: int) -> None:
    ec2, _ = markets(first, tmp_path, {**PRICES, **dict.fromkeys(NAMES[:gone], (0.1, 0.2))})
    assert (len(ec2.gone_sizes), len(ec2.gone_prices), len(ec2.findings)) == (0, gone, gone)
    assert ec2.objections == ("eu-west-1 would lose 6 of 100 (6 %) prices of EC2.",)[:objections]


@pytest.mark.parametrize(
    ("moved", "usd", "objections"),
    [(5, 0.2, 0), (6, 0.2, 1), (6, 0.131, 1), (6, 0.129, 0), (100, 0.12, 0), (6, 0.069, 1), (6, 0.071, 0)],
)
def test_few_prices_may_move_far_and_many_a_little(
    first: Catalog, tmp_path: Path, moved: int, usd: float, objections: int
) -> None:
    ec2, _ = markets(first, tmp_path, {**PRICES, **dict.fromkeys(NAMES[:moved], usd)})
    assert len(ec2.moved) == moved
    assert ec2.objections == ("eu-west-1: 6 of 100 (6 %) prices of EC2 would move by more than 30 %.",)[:objections]


def test_databases_are_judged_on_their_own(first: Catalog, tmp_path: Path) -> None:
    listed = [database(f"db.{name}", "MySQL", 0.2) for name in NAMES[10:]]
    ec2, rds = markets(first, tmp_path, PRICES, *listed)
    assert ec2.objections == ()
    assert rds.objections == (
        "eu-west-1 would lose 10 of 100 (10 %) database classes.",
        "eu-west-1 would lose 10 of 100 (10 %) prices of RDS.",
    )


def test_an_empty_list_of_databases_is_not_believed(first: Catalog, tmp_path: Path) -> None:
    _, rds = markets(first, tmp_path, PRICES)
    assert rds.objections[0] == "eu-west-1 would lose 100 of 100 (100 %) database classes."


def test_of_a_region_that_is_new_nothing_can_be_lost(first: Catalog, tmp_path: Path) -> None:
    now = catalog(tmp_path / "now", first, sold({"m5.large": 1}, region="eu-west-2"), day=LATER)
    found = diff(first, now, ["eu-west-2"], LATER)
    assert found.objections == ()
    assert (found.markets[0].sizes_before, found.markets[0].new_sizes, found.markets[0].compared) == (0, ("m5.large",), 0)


def test_the_shipped_catalog_has_on_offer_what_it_has_a_price_of(tmp_path: Path) -> None:
    now = catalog(tmp_path / "now", SHIPPED, sold({"m5.large": 0.107}))
    ec2, rds = diff(SHIPPED, now, [REGION], DAY).markets
    listed = pl.read_parquet(SHIPPED.instance_prices).filter(region=REGION).height
    assert (ec2.sizes_before, ec2.sizes, len(ec2.gone_sizes)) == (listed, 1, listed - 1)
    assert len(ec2.objections) == len(rds.objections) == 2


def test_types_and_classes_that_are_new_and_what_changed_of_others(first: Catalog, tmp_path: Path) -> None:
    types = (kind(NAMES[0], memory_gib=16.0, ebs_baseline_mbps=700), kind("m5.large"))
    listed = (database(f"db.{NAMES[0]}", "MySQL", 0.2, vcpu=4), database("db.m5.large", "MySQL"))
    now = catalog(tmp_path / "now", first, sold({NAMES[0]: 0.1, "m5.large": 0.1}, *listed, types=types), day=LATER)
    found = diff(first, now, [REGION], LATER, ["A note."])
    assert (found.new_types, found.new_classes, found.notes) == (("m5.large",), ("db.m5.large",), ("A note.",))
    assert found.changed_types == (
        Changed(NAMES[0], "memory_gib", 8.0, 16.0),
        Changed(NAMES[0], "ebs_baseline_mbps", 650, 700),
    )
    assert found.changed_classes == (
        Changed(f"db.{NAMES[0]}", "vcpu", 2, 4),
        Changed(f"db.{NAMES[0]}", "ebs_baseline_mbps", 650, 700),
    )


def test_findings_are_those_of_the_region(first: Catalog, tmp_path: Path) -> None:
    sizes = {f"m5.{size}": usd for size, usd in (("large", 0.1), ("xlarge", 0.2), ("2xlarge", 0.4), ("4xlarge", 8.0))}
    types = tuple(kind(name, memory_gib=2 * (size_units(name[3:]) or 0)) for name in sizes)
    regions = [sold(sizes, types=types), sold({**sizes, "m5.4xlarge": 0.8}, region="eu-west-2", types=types)]
    now = catalog(tmp_path / "now", first, *regions, day=LATER)
    found = diff(first, now, [REGION, "eu-west-2"], LATER)
    here, there = (each for each in found.markets if each.service == "EC2")
    assert there.findings == ()
    (finding,) = here.findings
    assert finding.startswith("m5.4xlarge in eu-west-1 is listed at 8.0000 USD per hour, where its family's sizes say 0.8000; ")
    assert "m5.4xlarge" not in here.new_prices


def test_the_diff_as_json(first: Catalog, tmp_path: Path) -> None:
    now = catalog(tmp_path / "now", first, sold({**PRICES, NAMES[0]: 0.2}), day=LATER)
    text = diff(first, now, [REGION], LATER, ["A note."]).to_json(failed={"eu-west-2": "Why."})
    told = json.loads(text)
    assert (told["day"], told["earlier"], told["notes"], told["failed"]) == (
        "2025-04-01", "2025-03-09", ["A note."], {"eu-west-2": "Why."},
    )  # fmt: skip
    assert told["markets"][0]["moved"] == [{"name": NAMES[0], "engine": None, "before": 0.1, "now": 0.2}]
    assert told["objections"] == told["markets"][1]["objections"] != []
    assert told["markets"][0]["objections"] == []
