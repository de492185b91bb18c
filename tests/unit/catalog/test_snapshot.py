"""The snapshot that ships: what it was built from, and what a verdict needs of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, RDS_CLASSES, RDS_PRICES, snapshot
from dagster_project.domain.rightsizing.credits import credits_per_hour, maximum_credits
from dagster_project.errors import InputError

COLLECTED = Path(__file__).parents[4] / "shared" / "data"
FILES = {
    "INSTANCE_TYPES": INSTANCE_TYPES,
    "INSTANCE_PRICES": INSTANCE_PRICES,
    "RDS_CLASSES": RDS_CLASSES,
    "RDS_PRICES": RDS_PRICES,
}
needs_collected = pytest.mark.skipif(not COLLECTED.is_dir(), reason="the collected tables do not ship")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a build writes instead of into the package."""
    for name, path in FILES.items():
        monkeypatch.setattr(snapshot, name, tmp_path / path.name)
    return tmp_path


@needs_collected
def test_the_snapshot_is_what_its_sources_give(elsewhere: Path) -> None:
    rows = snapshot.build(COLLECTED)
    assert rows == {
        "ec2_instance_types.parquet": 1395,
        "ec2_prices.parquet": 13_483,
        "rds_classes.parquet": 142,
        "rds_prices.parquet": 4620,
    }
    for path in FILES.values():
        assert pl.read_parquet(elsewhere / path.name).equals(pl.read_parquet(path)), path.name


@needs_collected
def test_a_collected_price_that_is_not_above_zero_stops_the_build(elsewhere: Path, tmp_path: Path) -> None:
    folder = tmp_path / "collected"
    folder.mkdir()
    for name in ("aws_ec2_instance_types", "aws_ec2_prices", "aws_rds_prices_2021"):
        table = pl.read_parquet(COLLECTED / f"{name}.parquet")
        if name == "aws_rds_prices_2021":
            table = table.with_columns(on_demand_usd_per_hour_single_az=pl.lit(0.0))
        table.write_parquet(folder / f"{name}.parquet")
    with pytest.raises(InputError, match=r"^The price of db\.\S+ in \S+ is missing or not positive; correct aws_rds_prices_2021"):
        snapshot.build(folder)


@needs_collected
def test_burst_baselines_are_those_of_the_collected_table() -> None:
    collected = pl.read_csv(COLLECTED / "aws_burstable_baseline.csv")
    shipped = dict(pl.read_parquet(INSTANCE_TYPES).select("instance_type", "burst_baseline_pct").iter_rows())
    assert collected.height == 7
    for row in collected.iter_rows(named=True):
        size = row["instance_size"]
        assert shipped[f"t2.{size}"] == row["t2_baseline_pct_per_vcpu"]
        for family in ("t3", "t3a", "t4g"):
            assert shipped[f"{family}.{size}"] == row["t3_baseline_pct_per_vcpu"]


# The EC2 User Guide, "Key concepts and definitions for burstable performance instances": credits earned per hour, and at most.
T3_CREDITS = {
    "nano": (6, 144), "micro": (12, 288), "small": (24, 576), "medium": (24, 576), "large": (36, 864), "xlarge": (96, 2304),
    "2xlarge": (192, 4608),
}  # fmt: skip
T2_CREDITS = {
    "nano": (3, 72), "micro": (6, 144), "small": (12, 288), "medium": (24, 576), "large": (36, 864), "xlarge": (54, 1296),
    "2xlarge": (81.6, 1958.4),
}  # fmt: skip
CREDITS = {
    f"{family}.{size}": figures
    for family, sizes in {"t2": T2_CREDITS, "t3": T3_CREDITS, "t3a": T3_CREDITS, "t4g": T3_CREDITS}.items()
    for size, figures in sizes.items()
}


def test_every_burstable_type_earns_and_holds_the_credits_of_the_user_guide() -> None:
    types = pl.read_parquet(INSTANCE_TYPES).filter("burstable")
    baseline = types["burst_baseline_pct"].to_numpy()
    earned, held = credits_per_hour(types["vcpu"].to_numpy(), baseline), maximum_credits(types["vcpu"].to_numpy(), baseline)
    assert set(types["instance_type"]) == set(CREDITS)
    for kind, per_hour, most in zip(types["instance_type"], earned, held, strict=True):
        assert (per_hour, most) == pytest.approx(CREDITS[kind]), kind


def test_only_burstable_types_have_a_baseline() -> None:
    types = pl.read_parquet(INSTANCE_TYPES)
    assert (types["burstable"] == types["burst_baseline_pct"].is_not_null()).all()


def test_a_type_has_what_compatibility_is_judged_by() -> None:
    types = pl.read_parquet(INSTANCE_TYPES)
    known = ("max_enis", "ebs_max_attachments", "nvme_support", "ena_support", "virtualization", "arch", "network_baseline_gbps")
    assert {name: types[name].null_count() for name in known} == dict.fromkeys(known, 0)
    for name in ("hypervisor", "size_units"):
        assert (types[name].is_null() == types["bare_metal"]).all(), "what bare metal does not have, and all others do"
    row = types.filter(instance_type="t3.medium").row(0, named=True)
    assert {name: row[name] for name in known} == {
        "max_enis": 3,
        "ebs_max_attachments": 27,
        "nvme_support": "required",
        "ena_support": "required",
        "virtualization": "hvm",
        "arch": "x86_64",
        "network_baseline_gbps": 0.256,
    }
    assert types.filter(instance_type="m5d.large")["instance_storage_gb"].item() == 75
    assert types.filter(instance_type="m5.large")["instance_storage_gb"].item() is None


def test_a_database_class_has_the_limits_of_the_type_that_it_runs_on() -> None:
    classes, types = pl.read_parquet(RDS_CLASSES), pl.read_parquet(INSTANCE_TYPES)
    pairs = classes.join(types, left_on="ec2_instance_type", right_on="instance_type", suffix="_of_type")
    assert pairs.height == 109
    limits = (
        "vcpu", "arch", "size_units", "network_baseline_gbps", "network_peak_gbps", "ebs_baseline_iops", "ebs_max_iops",
        "burstable", "burst_baseline_pct",
    )  # fmt: skip
    for name in limits:
        assert pairs[name].equals(pairs[f"{name}_of_type"], check_names=False), name
    for name in ("ebs_baseline_mbps", "ebs_max_mbps"):
        assert (pairs[name] <= pairs[f"{name}_of_type"]).all()
        assert pairs[name].null_count() == pairs[f"{name}_of_type"].null_count() == 14
    assert ((pairs["memory_gib"] / pairs["memory_gib_of_type"] - 1).abs() < 0.02).all()
    assert (pairs["instance_class"] == "db." + pairs["ec2_instance_type"]).all()
    row = classes.filter(instance_class="db.t3.medium").row(0, named=True)
    assert (row["family"], row["size"], row["vcpu"], row["memory_gib"]) == ("db.t3", "medium", 2, 4.0)
    assert (row["arch"], row["burst_baseline_pct"], row["ebs_baseline_mbps"]) == ("x86_64", 20.0, 347)


# The RDS User Guide, "Hardware specifications for DB instance classes": maximum EBS bandwidth in Mbps.
EBS_MAX_MBPS = {
    "db.m6g.16xlarge": 19_000, "db.m6g.12xlarge": 13_500, "db.m6g.large": 4_750, "db.m5.24xlarge": 19_000,
    "db.t3.medium": 1_536, "db.t3.2xlarge": 2_048, "db.z1d.2xlarge": 2_333, "db.z1d.12xlarge": 14_000,
    "db.m5.16xlarge": 13_600, "db.m5.8xlarge": 6_800, "db.m4.10xlarge": 4_000, "db.r5b.24xlarge": 60_000,
    "db.r5b.16xlarge": 40_000, "db.r5.12xlarge": 9_500, "db.r6g.4xlarge": 4_750, "db.r4.16xlarge": 14_000,
}  # fmt: skip


def test_the_limits_of_a_class_are_those_that_the_rds_user_guide_lists() -> None:
    shipped = dict(pl.read_parquet(RDS_CLASSES).select("instance_class", "ebs_max_mbps").iter_rows())
    assert {name: shipped[name] for name in EBS_MAX_MBPS} == EBS_MAX_MBPS


def test_no_baseline_is_above_the_maximum() -> None:
    classes = pl.read_parquet(RDS_CLASSES).filter(pl.col("ebs_max_mbps").is_not_null())
    assert (classes["ebs_baseline_mbps"] <= classes["ebs_max_mbps"]).all()
    assert classes.filter(instance_class="db.z1d.6xlarge")["ebs_baseline_mbps"].item() == 7_000
    assert classes.filter(instance_class="db.t3.micro")["ebs_baseline_mbps"].item() == 87


def test_the_limits_of_a_class_that_ec2_does_not_have_are_unknown() -> None:
    classes = pl.read_parquet(RDS_CLASSES).filter(pl.col("ec2_instance_type").is_null())
    assert classes.height == 33
    assert set(classes["family"]) == {"db.cv11", "db.mv11", "db.rv11", "db.r5"}
    for name in ("arch", "network_baseline_gbps", "ebs_baseline_mbps", "burstable", "size_units"):
        assert classes[name].null_count() == 33
    row = classes.filter(instance_class="db.r5.2xlarge.tpc2.mem4x").row(0, named=True)
    assert (row["family"], row["size"], row["vcpu"], row["memory_gib"]) == ("db.r5", "2xlarge.tpc2.mem4x", 8, 256.0)


def test_database_prices_name_engines_as_the_api_does_and_leave_out_unknown_editions() -> None:
    prices = pl.read_parquet(RDS_PRICES)
    counts = dict(prices["engine"].value_counts().iter_rows())
    assert counts == {"mysql": 1227, "postgres": 1251, "mariadb": 1134, "aurora-mysql": 560, "aurora-postgresql": 448}
    assert prices["price_quality"].unique().to_list() == ["listed"]
    assert prices["price_as_of"].unique().to_list() == ["2021-08-03"]


def test_the_snapshot_is_small() -> None:
    assert sum(path.stat().st_size for path in FILES.values()) < 100_000
