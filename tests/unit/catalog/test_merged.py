"""A catalog out of an earlier one and what is sold now: what is replaced, what is kept, and what is not taken over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.catalog.merged import merged
from dagster_project.catalog.shapes import SHIPPED, Catalog
from dagster_project.domain.sold import Sold
from tests.catalog_builders import DAY, REGION, catalog, database, kind, nothing, sold

LATER = date(2025, 4, 1)


@pytest.fixture
def empty(tmp_path: Path) -> Catalog:
    return nothing(tmp_path / "nothing")


def types_of(one: Catalog) -> dict[str, dict[str, Any]]:
    return {row["instance_type"]: row for row in pl.read_parquet(one.instance_types).to_dicts()}


def classes_of(one: Catalog) -> dict[str, dict[str, Any]]:
    return {row["instance_class"]: row for row in pl.read_parquet(one.rds_classes).to_dicts()}


def prices_of(one: Catalog, region: str = REGION) -> dict[str, tuple[float | None, str, str, str]]:
    rows = pl.read_parquet(one.instance_prices).filter(region=region).drop("region").iter_rows()
    return {row[0]: row[1:] for row in rows}


def database_prices_of(one: Catalog, region: str = REGION) -> dict[tuple[str, str], tuple[float | None, str, str, str]]:
    rows = pl.read_parquet(one.rds_prices).filter(region=region).drop("region").iter_rows()
    return {row[:2]: row[2:] for row in rows}


def test_prices_of_a_region_are_replaced_and_those_of_others_kept(tmp_path: Path) -> None:
    now = catalog(tmp_path / "now", SHIPPED, sold({"m5.large": 0.107, "m5.xlarge": 0.214}))
    assert prices_of(now) == {
        "m5.large": (0.107, "listed", "AWS Price List", "2025-03-09"),
        "m5.xlarge": (0.214, "listed", "AWS Price List", "2025-03-09"),
    }
    for region in ("us-east-1", "eu-west-2"):
        assert prices_of(now, region) == prices_of(SHIPPED, region)
        assert database_prices_of(now, region) == database_prices_of(SHIPPED, region)
    assert database_prices_of(now) == {}, "the list has no databases in that region any more"
    assert now.ec2_shapes(REGION).usd_per_hour[now.ec2_shapes(REGION).number_of("m5.xlarge")] == 0.214


def test_types_are_replaced_added_and_never_lost(tmp_path: Path) -> None:
    region = sold({"m5.large": 0.1, "z9.large": 0.3}, types=(kind("m5.large", ebs_baseline_mbps=700), kind("z9.large")))
    now = types_of(catalog(tmp_path / "now", SHIPPED, region))
    before = types_of(SHIPPED)
    assert list(now) == sorted([*before, "z9.large"])
    assert (before["m5.large"]["ebs_baseline_mbps"], now["m5.large"]["ebs_baseline_mbps"]) == (650, 700)
    assert {name: row for name, row in now.items() if name not in ("m5.large", "z9.large")} == {
        name: row for name, row in before.items() if name != "m5.large"
    }


def test_burst_baselines_are_kept_and_limits_that_are_no_longer_told_too(tmp_path: Path) -> None:
    silent = dict.fromkeys(("network_baseline_gbps", "ebs_baseline_mbps", "ebs_baseline_iops"))
    region = sold({"t3.large": 0.1}, types=(kind("t3.large", burstable=True, max_enis=None, **silent),))
    now = types_of(catalog(tmp_path / "now", SHIPPED, region))["t3.large"]
    assert (now["burst_baseline_pct"], now["network_baseline_gbps"], now["ebs_baseline_mbps"]) == (30.0, 0.512, 695)
    assert now["max_enis"] is None, "other properties are what AWS says, also where it says nothing"


def test_what_is_not_known_of_a_new_type_stays_unknown(tmp_path: Path, empty: Catalog) -> None:
    now = catalog(tmp_path / "now", empty, sold({"z9.large": 1}, types=(kind("z9.large", network_baseline_gbps=None),)))
    assert types_of(now)["z9.large"]["network_baseline_gbps"] is None
    assert np.isnan(now.ec2_shapes(REGION).capacity[0, 2])


def test_a_burstable_size_of_unknown_baseline_has_no_price_as_it_would_look_endless(tmp_path: Path, empty: Catalog) -> None:
    types = (kind("t9.large", burstable=True), kind("t9.medium", burstable=True), kind("m5.large"))
    listed = [database("db.t9.large", "MySQL", 0.1), database("db.m5.large", "MySQL", 0.2)]
    tables = merged(empty, [sold({"t9.large": 0.2, "t9.medium": 0.1, "m5.large": 0.3}, *listed, types=types)], DAY)
    assert tables.files["ec2_prices.parquet"]["instance_type"].to_list() == ["m5.large"]
    assert tables.files["rds_prices.parquet"]["instance_class"].to_list() == ["db.m5.large"]
    assert tables.files["ec2_instance_types.parquet"].height == 3
    assert "eu-west-1: 2 instance types are of a burstable size whose baseline is not known." in tables.notes
    assert "eu-west-1: 1 prices of database classes are of a burstable size whose baseline is not known." in tables.notes


def test_only_what_is_on_offer_has_a_price(empty: Catalog) -> None:
    region = sold({"m5.large": 0.1, "m5.xlarge": 0.2}, types=(kind("m5.large"), kind("m5.xlarge"), kind("c5.large")))
    tables = merged(empty, [Sold(REGION, region.types, frozenset({"m5.large", "c5.large"}), region.instances, ())], DAY)
    assert tables.files["ec2_prices.parquet"]["instance_type"].to_list() == ["m5.large"]
    assert tables.files["ec2_offerings.parquet"].rows() == [("c5.large", REGION), ("m5.large", REGION)]
    assert tables.notes == (
        "eu-west-1: 1 instance types are listed and not on offer.",
        "eu-west-1: 1 instance types are on offer and not listed.",
    )


def test_offers_of_other_regions_are_kept(tmp_path: Path, empty: Catalog) -> None:
    first = catalog(tmp_path / "first", empty, sold({"m5.large": 1}), sold({"c5.large": 1}, region="eu-west-2"))
    second = catalog(tmp_path / "second", first, sold({"m5.xlarge": 1}), day=LATER)
    assert pl.read_parquet(second.offerings).rows() == [("c5.large", "eu-west-2"), ("m5.xlarge", REGION)]
    assert prices_of(second, "eu-west-2") == {"c5.large": (1.0, "listed", "AWS Price List", "2025-03-09")}
    assert prices_of(second) == {"m5.xlarge": (1.0, "listed", "AWS Price List", "2025-04-01")}


def test_a_price_of_a_size_that_nobody_describes_is_not_taken_over(empty: Catalog) -> None:
    tables = merged(empty, [sold({"m5.large": 0.1, "q1.large": 0.1}, types=(kind("m5.large"),))], DAY)
    assert tables.files["ec2_prices.parquet"]["instance_type"].to_list() == ["m5.large"]
    assert tables.notes == ("eu-west-1: 1 instance types are of a size that is not described.",)


def test_several_prices_are_none_and_counted_as_doubtful(tmp_path: Path, empty: Catalog) -> None:
    now = catalog(tmp_path / "now", empty, sold({"m5.large": (0.1, 0.2)}, database("db.m5.large", "MySQL", 0.1, 0.3)))
    assert prices_of(now)["m5.large"] == (None, "doubtful", "AWS Price List", "2025-03-09")
    (finding,) = now.ec2_prices().findings
    assert (finding.quality, finding.usd_per_hour, finding.expected_usd_per_hour) == ("doubtful", None, None)
    assert finding.sentence == "m5.large in eu-west-1 has several prices at its source; its price counts as unknown."
    assert now.database_prices().findings[0].sentence.startswith("db.m5.large in eu-west-1 for mysql has several prices")
    assert now.ec2_shapes(REGION).price_quality == ["doubtful"] and np.isnan(now.ec2_shapes(REGION).usd_per_hour).all()


def test_a_type_that_two_regions_describe_otherwise_is_as_the_first_one_says(empty: Catalog) -> None:
    regions = [
        sold({"m5.large": 1}, region="eu-west-2", types=(kind(max_enis=4),)),
        sold({"m5.large": 1}, region="eu-west-1", types=(kind(max_enis=3),)),
    ]
    for order in (regions, regions[::-1]):
        tables = merged(empty, order, DAY)
        assert tables.files["ec2_instance_types.parquet"]["max_enis"].to_list() == [3]
        assert tables.notes == ("m5.large is described otherwise in eu-west-2 than in another region.",)


class TestDatabases:
    def test_a_new_class_has_the_limits_of_the_type_that_it_runs_on(self, tmp_path: Path, empty: Catalog) -> None:
        now = catalog(tmp_path / "now", empty, sold({"m5.large": 0.1}, database("db.m5.large"), database("db.q1.large")))
        row, other = classes_of(now)["db.m5.large"], classes_of(now)["db.q1.large"]
        assert (row["vcpu"], row["memory_gib"], row["ebs_baseline_iops"], row["current_generation"]) == (2, 8.0, 3600, True)
        assert (row["ec2_instance_type"], row["size_units"], row["family"]) == ("m5.large", 4.0, "db.m5")
        assert (other["ec2_instance_type"], other["ebs_baseline_iops"], other["vcpu"]) == (None, None, 2)

    def test_engines_are_called_as_the_api_calls_them_and_unknown_ones_left_out(self, empty: Catalog) -> None:
        names = ("MySQL", "PostgreSQL", "MariaDB", "Aurora MySQL", "Aurora PostgreSQL", "Oracle", "SQL Server", "Db2", "Any")
        listed = [database("db.m5.large", name, 0.1 * number) for number, name in enumerate(names, start=1)]
        tables = merged(empty, [sold({"m5.large": 1}, *listed)], DAY)
        assert tables.files["rds_prices.parquet"]["engine"].to_list() == [
            "aurora-mysql", "aurora-postgresql", "mariadb", "mysql", "postgres",
        ]  # fmt: skip
        assert [note for note in tables.notes if "Oracle" in note] == [
            "eu-west-1: 1 prices of database classes are of the engine Oracle, of which editions are not told apart."
        ]
        assert len(tables.notes) == 4

    def test_two_names_of_one_engine_are_one_market(self, empty: Catalog) -> None:
        listed = [database("db.m5.large", "PostgreSQL", 0.2), database("db.m5.large", "Postgres", 0.3)]
        rows = merged(empty, [sold({"m5.large": 1}, *listed)], DAY).files["rds_prices.parquet"].rows()
        assert rows == [("db.m5.large", REGION, "postgres", None, "doubtful", "AWS Price List", "2025-03-09")]

    def test_a_class_whose_size_is_not_told_keeps_its_size_or_is_left_out(self, tmp_path: Path, empty: Catalog) -> None:
        first = catalog(tmp_path / "first", empty, sold({"m5.large": 1}, database("db.m5.large")))
        unsaid = [database("db.m5.large", vcpu=None), database("db.q1.large", memory_gib=None), database("db.q2.large", vcpu=4)]
        tables = merged(first, [sold({"m5.large": 1}, *unsaid, database("db.q2.large", "MySQL", vcpu=8))], LATER)
        assert tables.files["rds_classes.parquet"]["instance_class"].to_list() == ["db.m5.large"]
        assert tables.files["rds_classes.parquet"]["vcpu"].to_list() == [2]
        assert tables.files["rds_prices.parquet"]["instance_class"].to_list() == ["db.m5.large"]
        assert tables.notes[:2] == tuple(
            f"The price list does not say what size {name} is, or says several; it is left out."
            for name in ("db.q1.large", "db.q2.large")
        )

    def test_what_an_unknown_engine_says_of_a_class_does_not_count(self, empty: Catalog) -> None:
        listed = [database("db.m5.large", "MySQL"), database("db.m5.large", "Oracle", vcpu=4)]
        assert merged(empty, [sold({"m5.large": 1}, *listed)], DAY).files["rds_classes.parquet"]["vcpu"].to_list() == [2]

    def test_classes_are_never_lost_and_follow_the_limits_of_their_types(self, tmp_path: Path) -> None:
        region = sold({"m5.large": 0.1}, types=(kind("m5.large", ebs_baseline_iops=4000),))
        now, before = classes_of(catalog(tmp_path / "now", SHIPPED, region)), classes_of(SHIPPED)
        assert list(now) == list(before)
        assert {name for name in now if now[name] != before[name]} == {"db.m5.large"}
        assert now["db.m5.large"]["ebs_baseline_iops"] == 4000


def test_notes_of_the_source_come_first_and_what_it_left_out_last(empty: Catalog) -> None:
    region = sold(
        {"m5.large": (1, 2), "q.large": 1}, types=(kind(),), notes=("One.",), left_out={"AmazonEC2: unit Quantity": 1234}
    )
    assert merged(empty, [region], DAY).notes == (
        "One.",
        "eu-west-1: 1 instance types are of a size that is not described.",
        "eu-west-1: 1,234 × AmazonEC2: unit Quantity.",
    )


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    regions = [sold({"m5.large": 0.1, "c5.large": 0.2}, database()), sold({"m5.large": 0.1}, region="eu-west-2")]
    first = catalog(tmp_path / "first", SHIPPED, *regions)
    second = catalog(tmp_path / "second", SHIPPED, *regions[::-1])
    names = sorted(path.name for path in first.folder.iterdir())
    assert names == sorted(path.name for path in second.folder.iterdir()) and len(names) == 5
    assert [(first.folder / name).read_bytes() for name in names] == [(second.folder / name).read_bytes() for name in names]


def test_nothing_new_changes_nothing_but_that_offers_are_known(tmp_path: Path) -> None:
    now = catalog(tmp_path / "now", SHIPPED)
    for ours, theirs in (
        (now.instance_types, SHIPPED.instance_types),
        (now.instance_prices, SHIPPED.instance_prices),
        (now.rds_classes, SHIPPED.rds_classes),
        (now.rds_prices, SHIPPED.rds_prices),
    ):
        assert pl.read_parquet(ours).equals(pl.read_parquet(theirs), null_equal=True), ours.name
    assert pl.read_parquet(now.offerings).height == 0
