"""What is found in a price list when it is loaded, and what is not mistaken for an error."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, RDS_CLASSES, RDS_PRICES
from dagster_project.catalog.prices import PriceFinding, PriceList, load_prices, load_rds_prices
from dagster_project.errors import InputError


def changed(tmp_path: Path, wrong: dict[tuple[str, str], float | None], source: Path = INSTANCE_PRICES) -> Path:
    """The shipped prices with some replaced."""
    prices = pl.read_parquet(source)
    key, region = prices.columns[:2]
    usd = pl.col("usd_per_hour")
    for (kind, where), value in wrong.items():
        usd = pl.when((pl.col(key) == kind) & (pl.col(region) == where)).then(pl.lit(value, pl.Float64)).otherwise(usd)
    path = tmp_path / "prices.parquet"
    prices.with_columns(usd.alias("usd_per_hour")).write_parquet(path)
    return path


def price(prices: PriceList, **key: str) -> tuple[float | None, str]:
    row = prices.prices.filter(**key).row(0, named=True)
    return row["usd_per_hour"], row["price_quality"]


def test_of_the_prices_that_ship_two_are_doubtful() -> None:
    loaded = load_prices()
    assert loaded.prices.height == 13_483
    assert [(finding.name, finding.region, finding.quality) for finding in loaded.findings] == [
        ("x8i.96xlarge", "us-east-1", "doubtful"),
        ("x8i.96xlarge", "us-gov-west-1", "doubtful"),
    ]
    assert loaded.findings[0].usd_per_hour == pytest.approx(48.74438)
    assert loaded.findings[0].expected_usd_per_hour == pytest.approx(42.01536)
    assert loaded.prices["usd_per_hour"].null_count() == 2
    assert price(loaded, instance_type="m5.xlarge", region="us-east-1") == (0.192, "listed")


def test_checked_prices_are_the_file_but_for_the_findings() -> None:
    loaded, file = load_prices().prices, pl.read_parquet(INSTANCE_PRICES)
    kept = loaded["usd_per_hour"].is_not_null()
    assert loaded.schema == file.schema
    assert loaded.filter(kept).equals(file.filter(kept))


# As Apache Libcloud's list has them: a zero, and Dedicated Instances, at 10 % more or, with other processors, 6 % more.
WRONG = {
    ("m5.large", "us-east-1"): 0.0,
    ("c5.4xlarge", "eu-west-1"): 0.768 * 1.1,
    ("c6g.xlarge", "us-west-2"): 0.136 * 1.06,
    ("r5.large", "us-east-2"): None,
    ("r5.xlarge", "us-east-2"): float("nan"),
    ("t3.micro", "us-east-1"): -0.0104,
    ("t3.small", "us-east-1"): float("inf"),
    ("m6i.2xlarge", "us-east-1"): 0.0384,  # a decimal point that moved
}


def test_errors_of_raw_price_lists_are_found_and_no_other_price_is_touched(tmp_path: Path) -> None:
    loaded = load_prices(changed(tmp_path, WRONG))
    found = {(finding.name, finding.region): finding for finding in loaded.findings}
    assert {key: found[key].quality for key in WRONG} == {
        ("m5.large", "us-east-1"): "missing",
        ("c5.4xlarge", "eu-west-1"): "doubtful",
        ("c6g.xlarge", "us-west-2"): "doubtful",
        ("r5.large", "us-east-2"): "missing",
        ("r5.xlarge", "us-east-2"): "missing",
        ("t3.micro", "us-east-1"): "missing",
        ("t3.small", "us-east-1"): "missing",
        ("m6i.2xlarge", "us-east-1"): "doubtful",
    }
    assert len(found) == len(WRONG) + 2
    for kind, region in WRONG:
        usd, quality = price(loaded, instance_type=kind, region=region)
        assert (usd, quality) == (None, found[kind, region].quality)
    assert loaded.prices.filter(pl.col("usd_per_hour").is_nan() | (pl.col("usd_per_hour") <= 0)).is_empty()
    assert loaded.prices.height == 13_483


def test_a_doubtful_price_is_told_with_what_was_expected(tmp_path: Path) -> None:
    loaded = load_prices(changed(tmp_path, {("c5.4xlarge", "eu-west-1"): 0.8448, ("m5.large", "us-east-1"): 0.0}))
    sentences = [finding.sentence for finding in loaded.findings]
    assert sentences[:2] == [
        "c5.4xlarge in eu-west-1 is listed at 0.8448 USD per hour, where its family's sizes say 0.7680; "
        "its price counts as unknown.",
        "m5.large in us-east-1 has no price above zero; its price counts as unknown.",
    ]


def test_the_lower_half_of_a_family_decides_what_is_expected(tmp_path: Path) -> None:
    """m5a has eight sizes: with four of them too dear, the right four stay."""
    dear = ("large", "xlarge", "2xlarge", "4xlarge")
    prices = pl.read_parquet(INSTANCE_PRICES).filter(region="us-east-1")
    usual = {f"m5a.{size}": prices.filter(instance_type=f"m5a.{size}")["usd_per_hour"][0] for size in dear}
    loaded = load_prices(changed(tmp_path, {(kind, "us-east-1"): usd * 1.1 for kind, usd in usual.items()}))
    found = [finding for finding in loaded.findings if finding.name.startswith("m5a.")]
    assert sorted(finding.name for finding in found) == sorted(usual)
    assert all(finding.expected_usd_per_hour == pytest.approx(usual[finding.name]) for finding in found)


NOT_BY_SIZE = "m5.metal g4dn.12xlarge gr6.8xlarge g6f.large inf1.xlarge hpc7g.4xlarge u-6tb1.112xlarge m1.small"


@pytest.mark.parametrize("kind", NOT_BY_SIZE.split())
def test_what_is_not_sold_by_size_keeps_its_listed_price(kind: str) -> None:
    usd, quality = price(load_prices(), instance_type=kind, region="us-east-1")
    assert usd is not None
    assert quality == "listed"


def test_what_is_not_sold_by_size_must_still_have_a_price(tmp_path: Path) -> None:
    loaded = load_prices(changed(tmp_path, {("g5.xlarge", "us-east-1"): 0.0, ("p2.xlarge", "us-east-1"): 0.0}))
    assert {finding.name for finding in loaded.findings} >= {"g5.xlarge", "p2.xlarge"}, "p2 has no specification in the catalog"


def table(tmp_path: Path, **columns: list[object]) -> Path:
    path = tmp_path / "table.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def test_a_file_without_a_column_names_it(tmp_path: Path) -> None:
    path = table(tmp_path, instance_type=["m5.large"], region=["us-east-1"])
    with pytest.raises(InputError, match=r"table\.parquet lacks usd_per_hour, price_quality, price_source, price_as_of; build"):
        load_prices(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None], ids=["empty", "cut off", "absent"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "prices.parquet"
    if content is not None:
        path.write_bytes(content)
    for arguments in ((path, INSTANCE_TYPES), (INSTANCE_PRICES, path)):
        with pytest.raises(InputError, match=r"^\S*prices\.parquet cannot be read as a table of the catalog; build it[^.]*\.$"):
            load_prices(*arguments)


def test_a_price_that_is_text_without_a_number_is_an_unreadable_file(tmp_path: Path) -> None:
    row = {"instance_type": "m5.large", "region": "us-east-1", "usd_per_hour": "N/A", "price_quality": "", "price_source": ""}
    path = table(tmp_path, **{name: [value] for name, value in row.items()}, price_as_of=[""])
    with pytest.raises(InputError, match="cannot be read"):
        load_prices(path)


def test_a_price_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    prices = pl.read_parquet(INSTANCE_PRICES)
    pl.concat([prices, prices.filter(instance_type="m5.large", region="eu-west-1")]).write_parquet(path)
    with pytest.raises(InputError, match=r"prices\.parquet holds m5\.large, eu-west-1 more than once"):
        load_prices(path)


def test_a_type_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "types.parquet"
    types = pl.read_parquet(INSTANCE_TYPES)
    pl.concat([types, types.filter(instance_type="m5.large")]).write_parquet(path)
    with pytest.raises(InputError, match=r"types\.parquet holds m5\.large more than once"):
        load_prices(INSTANCE_PRICES, path)


def test_of_the_database_prices_that_ship_seventeen_are_doubtful() -> None:
    loaded = load_rds_prices()
    found = {(finding.name, finding.region, finding.engine) for finding in loaded.findings}
    assert loaded.prices.height == 4_620
    assert len(found) == len(loaded.findings) == 17
    twelve = {(name, region) for name, region, _ in found if name.startswith(("db.m5.", "db.r5."))}
    sizes = ("db.m5.8xlarge", "db.m5.16xlarge", "db.r5.8xlarge", "db.r5.16xlarge")
    assert twelve == {(size, region) for size in sizes for region in ("eu-south-1", "ap-northeast-3")}
    assert {row for row in found if row[:2] not in twelve} == {
        ("db.m3.large", "us-gov-west-1", "postgres"),
        ("db.t2.micro", "eu-central-1", "postgres"),
        ("db.t2.small", "eu-central-1", "postgres"),
        ("db.t3.small", "us-gov-east-1", "postgres"),
        ("db.t3.small", "us-gov-west-1", "postgres"),
    }
    assert price(loaded, instance_class="db.m6g.large", region="us-east-1", engine="postgres") == (0.159, "listed")


def test_a_finding_of_a_database_price_names_its_engine() -> None:
    (finding,) = (f for f in load_rds_prices().findings if (f.name, f.region) == ("db.m5.8xlarge", "ap-northeast-3"))
    assert finding == PriceFinding(
        name="db.m5.8xlarge",
        region="ap-northeast-3",
        engine="mariadb",
        quality="doubtful",
        usd_per_hour=27.879,
        expected_usd_per_hour=finding.expected_usd_per_hour,
    )
    assert finding.expected_usd_per_hour == pytest.approx(3.97133, abs=1e-5)
    assert finding.sentence.startswith("db.m5.8xlarge in ap-northeast-3 for mariadb is listed at 27.8790 USD per hour, ")


def test_engines_are_compared_apart(tmp_path: Path) -> None:
    """One engine at twice the price of another is no error; one size of it is."""
    prices = pl.read_parquet(RDS_PRICES)
    is_one = (pl.col("instance_class") == "db.m5.large") & (pl.col("region") == "us-east-1") & (pl.col("engine") == "mysql")
    doubled = pl.when(is_one | (pl.col("engine") == "mariadb")).then(pl.col("usd_per_hour") * 2).otherwise("usd_per_hour")
    path = tmp_path / "prices.parquet"
    prices.with_columns(doubled).write_parquet(path)
    before = {(f.name, f.region, f.engine) for f in load_rds_prices().findings}
    after = {(f.name, f.region, f.engine) for f in load_rds_prices(path).findings}
    assert after - before == {("db.m5.large", "us-east-1", "mysql")}
    assert before <= after


def test_a_database_file_that_is_wrong_is_told_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks instance_class, engine"):
        load_rds_prices(INSTANCE_PRICES)
    with pytest.raises(InputError, match="lacks instance_class"):
        load_rds_prices(RDS_PRICES, INSTANCE_TYPES)
    with pytest.raises(InputError, match="cannot be read"):
        load_rds_prices(tmp_path / "none.parquet", RDS_CLASSES)


def test_a_price_of_which_there_are_several_at_the_source_is_doubtful_and_no_measure_for_others(tmp_path: Path) -> None:
    prices = pl.read_parquet(INSTANCE_PRICES)
    is_one = (pl.col("instance_type") == "m5.large") & (pl.col("region") == "us-east-1")
    path = tmp_path / "prices.parquet"
    for usd in (None, 0.0, 0.096, 9.6):
        prices.with_columns(
            pl.when(is_one).then(pl.lit(usd, pl.Float64)).otherwise("usd_per_hour").alias("usd_per_hour"),
            pl.when(is_one).then(pl.lit("doubtful")).otherwise("price_quality").alias("price_quality"),
        ).write_parquet(path)
        loaded = load_prices(path)
        assert price(loaded, instance_type="m5.large", region="us-east-1") == (None, "doubtful")
        assert price(loaded, instance_type="m5.xlarge", region="us-east-1") == (0.192, "listed")
        (finding,) = set(loaded.findings) - set(load_prices().findings)
        assert finding == PriceFinding("m5.large", "us-east-1", None, "doubtful", usd, None)
        assert finding.sentence == "m5.large in us-east-1 has several prices at its source; its price counts as unknown."
