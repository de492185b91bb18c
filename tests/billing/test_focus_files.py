"""Files in every version and format of FOCUS: what is read of them, what is set aside, what is refused."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import SettingsError
from dagster_project.lake.billing_tables import BILLED_COSTS
from dagster_project.pipeline.doctor_billing import bills
from dagster_project.settings import load_settings
from tests.billing.bills import ACCOUNT, DAY, V1_0, V1_1, V1_2, WITH_AWS, charge, costs, hours, read, runtime, table, write

ROWS = [
    *hours("i-0a1", 30),
    charge("i-0a1", usd=0.5, ChargeDescription="$0.09 per GB - data transfer out", PricingUnit="GB"),
    charge("i-0a2", "2025-03-08 11", SkuMeter="BoxUsage:m5.xlarge", x_UsageType="BoxUsage:m5.xlarge", InvoiceId="x"),
]


@pytest.mark.parametrize("columns", [V1_0, V1_1, V1_2, WITH_AWS], ids=["1.0", "1.1", "1.2", "1.0 with AWS columns"])
def test_every_version_says_the_same(tmp_path: Path, columns: tuple[str, ...]) -> None:
    load, found, totals, _ = read(runtime(tmp_path, write(tmp_path / "bill.csv.gz", ROWS, columns)))
    assert (load.status, load.rows_read, load.error) == ("complete", 32, "")
    assert load.watermark_at == datetime(2025, 3, 8, 12)
    row = found["i-0a1"]
    assert (row["covered_hours"], row["billed_type"], row["rows"], row["is_listed"]) == (30, "m5.xlarge", 31, False)
    assert row["effective_usd"] == pytest.approx(30 * 0.192 + 0.5)
    assert row["other_usd"] == pytest.approx(0.5)
    assert row["running_effective_usd_month"] == pytest.approx(0.192 * 730)
    assert found["i-0a2"]["running_list_usd_month"] == pytest.approx(140.16)
    assert (totals["resources"]["rows"], totals["resources"]["sub_account_id"]) == (32, ACCOUNT)


def test_parquet_says_what_csv_says(tmp_path: Path) -> None:
    """Typed times with and without a zone, decimals, tags as a map, names in small letters."""
    tagged = [dict(row, Tags='{"aws:autoscaling:groupName": "web"}') for row in ROWS]
    plain = write(tmp_path / "bill.csv", tagged, V1_1)
    _, expected, _, _ = read(runtime(tmp_path / "csv", plain))
    text = pl.read_csv(plain, infer_schema=False, null_values="NULL")
    numbers = ["ListCost", "ContractedCost", "BilledCost", "EffectiveCost", "PricingQuantity"]
    times = ["ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart"]
    group = pl.lit([{"key": "Name", "value": "x"}, {"key": "aws:autoscaling:groupName", "value": "web"}])
    typed = text.with_columns(pl.col(numbers).cast(pl.Decimal(38, 12)), pl.col(times).str.to_datetime(), group.alias("Tags"))
    zoned = typed.with_columns(
        pl.col(times).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms")
    )
    for name, frame in (("naive", typed), ("zoned", zoned), ("small", zoned.rename(str.lower))):
        frame.write_parquet(tmp_path / f"{name}.parquet")
        _, found, _, _ = read(runtime(tmp_path / name, tmp_path / f"{name}.parquet"))
        assert found == expected, name
    assert expected["i-0a1"]["effective_usd"] == float(Decimal("6.26"))


@pytest.mark.parametrize("null", ["", "NULL", "null"])
def test_what_is_null_is_not_known_and_not_nothing(tmp_path: Path, null: str) -> None:
    rows = [
        charge("i-0a1", ContractedCost=None),
        charge("i-0a1", "2025-03-08 11"),
        charge(None, "2025-03-08 12", SubAccountId=None),
    ]
    _, found, totals, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows, null=null)))
    row = found["i-0a1"]
    assert (row["contracted_usd"], row["running_contracted_usd_month"]) == (None, None)
    assert row["list_usd"] == pytest.approx(0.384)
    assert totals["no_resource"]["sub_account_id"] == "999999999999", "without a sub account it is the billing account's"


@pytest.mark.parametrize(
    "written",
    [
        "2025-03-08T10:00:00Z",
        "2025-03-08T10:00:00.000Z",
        "2025-03-08 12:30:00+02:30",
        "2025-03-08T05:00-0500",
        "2025-03-08 10:00:00",
    ],
)
def test_a_time_is_the_same_moment_however_it_is_written(tmp_path: Path, written: str) -> None:
    _, found, _, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", [charge(ChargePeriodStart=written)])))
    assert found["i-0a1"]["charged_from"] == datetime(2025, 3, 8, 10)


def test_only_whole_charges_of_the_window_count_and_a_back_fill_sees_nothing_later(tmp_path: Path) -> None:
    rows = [
        charge("i-0a1", "2025-02-09 23"),
        charge("i-0a1", "2025-02-10 00"),
        charge("i-0a1", "2025-03-09 23"),
        charge("i-0a1", "2025-03-10 00"),
        charge("i-0a1", "2025-03-01 00", ChargePeriodEnd="2025-04-01 00:00:00", PricingQuantity=744),
    ]
    given = runtime(tmp_path, write(tmp_path / "b.csv", rows))
    _, found, _, aside = read(given)
    row = found["i-0a1"]
    assert (row["covered_hours"], row["charged_from"], row["charged_to"]) == (2, datetime(2025, 2, 10), datetime(2025, 3, 10))
    assert aside == {"reaches_beyond_the_day": (1, "2025-04-01 00:00:00")}
    earlier = DAY.replace(day=8)
    read(given, earlier)
    assert [row["covered_hours"] for row in table(given, BILLED_COSTS, earlier)] == [2], "of the 9th and 10th of February"


def test_rows_that_cannot_be_right_are_set_aside_and_counted(tmp_path: Path) -> None:
    rows = [
        charge(),
        charge(ChargePeriodEnd="2025-03-08 09:00:00"),
        charge(EffectiveCost="NaN"),
        charge(EffectiveCost="inf"),
        charge(ListCost="1,5"),
        charge(PricingQuantity="many"),
        charge(ChargePeriodStart="yesterday"),
        charge(BillingCurrency="EUR", PricingCurrency="USD"),
        charge(BillingCurrency=None),
    ]
    load, found, _, aside = read(runtime(tmp_path, write(tmp_path / "b.csv", rows, V1_2)))
    assert found["i-0a1"]["rows"] == 1
    assert aside["ends_before_it_begins"] == (1, "2025-03-08 09:00:00")
    assert aside["unreadable_time"] == (1, "yesterday")
    assert aside["other_currency"] == (2, "EUR")
    assert (load.rows_read, load.rows_rejected) == (9, 8)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("b.csv", b"a,b\n1,2\n", "has no column of a FOCUS bill; take it out of billing.focus"),
        ("b.csv", b"BilledCost,EffectiveCost\n1,2\n", "lacks BillingAccountId, BillingCurrency, BillingPeriodStart"),
        ("b.csv", b"", "cannot be read (it is empty, damaged, or not what its name says)"),
        ("b.csv.gz", b"\x1f\x8bnothing", "cannot be read"),
        ("b.parquet", b"no parquet", "cannot be read"),
        ("b.xlsx", b"", "is neither .csv, .csv.gz nor .parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_costs_the_others_nothing(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    fine = write(tmp_path / "fine" / "bill.csv", [charge()])
    given = runtime(tmp_path, tmp_path / name, fine)
    load, found, _, _ = read(given)
    assert (load.status, list(found)) == ("partial", ["i-0a1"])
    assert load.error.startswith(f"The billing file {tmp_path / name} ")
    assert told in load.error
    assert [(is_fine, text == load.error) for _, is_fine, text in bills(given)] == [(True, False), (False, True)]


def test_patterns_that_name_nothing_are_told_and_nothing_is_free_of_charge(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    load, found, totals, _ = read(runtime(tmp_path, tmp_path / "exports", tmp_path / "none" / "*.csv"))
    assert (load.status, found, totals, load.watermark_at) == ("failed", {}, {}, None)
    assert "names the folder" in load.error
    assert f"No billing file is at {tmp_path / 'none' / '*.csv'}; put the export there" in load.error


def test_what_fails_while_a_bill_is_added_up_costs_no_night_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = runtime(tmp_path, write(tmp_path / "b.csv", ROWS))
    monkeypatch.setattr("dagster_project.sources.focus_exports.charges", lambda *_: 1 / 0)
    load, found, _, _ = read(given)
    assert (load.status, found) == ("failed", {})
    assert load.error == "ZeroDivisionError while adding up a bill; run again with --debug and report it."


def test_a_folder_with_brackets_is_a_folder(tmp_path: Path) -> None:
    bill = write(tmp_path / "trial [1]" / "b.csv", [charge()])
    assert read(runtime(tmp_path, bill))[0].status == "complete"


def test_parts_of_an_export_are_added_and_an_export_that_was_made_again_replaces_the_earlier(tmp_path: Path) -> None:
    first, second = hours("i-0a1", 30), hours("i-0a2", 30)
    month = tmp_path / "BILLING_PERIOD=2025-03"
    write(month / "2025-03-08" / "bill-00001.csv", first)
    write(month / "2025-03-08" / "bill-00002.csv", second)
    given = runtime(tmp_path, tmp_path / "**" / "*.csv*")
    load, found, _, aside = read(given)
    assert {name: row["covered_hours"] for name, row in found.items()} == {"i-0a1": 30, "i-0a2": 30}
    assert aside == {}
    # The next export has the same charges in one part, an hour more, and another price of one.
    again = [*first, charge("i-0a1", "2025-03-09 01"), *second[1:], charge("i-0a2", "2025-03-07 00", 0.5)]
    write(month / "2025-03-10" / "bill-00001.csv.gz", again)
    load, found, _, aside = read(given)
    assert {name: row["covered_hours"] for name, row in found.items()} == {"i-0a1": 31, "i-0a2": 30}
    assert found["i-0a2"]["billed_usd"] == pytest.approx(29 * 0.192 + 0.5)
    example = "bill-00001.csv: 2025-03 of 999999999999 is in bill-00001.csv.gz too, and 1 more"
    assert aside == {"told_again_by_a_later_file": (60, example)}
    assert (load.rows_read, load.rows_rejected) == (121, 60)


def test_a_copy_beside_its_original_counts_once_and_numbers_in_names_are_numbers(tmp_path: Path) -> None:
    write(tmp_path / "bill-9.csv", hours("i-0a1", 30))
    write(tmp_path / "bill-10.csv", hours("i-0a1", 30, first="2025-03-07 01", **costs(1, 1, 1, 1)) + hours("i-0a1", 30))
    _, found, _, aside = read(runtime(tmp_path, tmp_path / "bill-*.csv"))
    assert found["i-0a1"]["covered_hours"] == 60
    assert aside["told_again_by_a_later_file"][1] == "bill-9.csv: 2025-03 of 999999999999 is in bill-10.csv too"


def test_a_month_of_another_account_in_the_same_file_stays(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [*hours("i-0a1", 30), *hours("i-0b1", 30, BillingAccountId="888888888888")])
    write(tmp_path / "b.csv", hours("i-0a1", 31))
    _, found, _, _ = read(runtime(tmp_path, tmp_path / "a.csv", tmp_path / "b.csv"))
    assert {name: row["covered_hours"] for name, row in found.items()} == {"i-0a1": 31, "i-0b1": 30}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [charge(f"i-0{n:04x}", f"2025-03-0{1 + n % 8} {n % 24:02}", 0.1 + n / 7000) for n in range(3000)]
    given = runtime(tmp_path, write(tmp_path / "b.csv", rows))
    written = []
    for _ in range(3):
        read(given)
        written.append(given.lake.path(BILLED_COSTS, DAY).read_bytes())
    assert len(set(written)) == 1


def test_paths_hold_from_any_folder_and_an_empty_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "nightshift.toml"
    config.write_text('[billing]\nfocus = ["exports/**/*.parquet"]\n')
    assert load_settings({"NIGHTSHIFT_CONFIG": str(config)}).billing.focus == (f"{tmp_path}/exports/**/*.parquet",)
    config.write_text('[billing]\nfocus = [" "]\n')
    with pytest.raises(SettingsError, match="each entry must name a file or a pattern"):
        load_settings({"NIGHTSHIFT_CONFIG": str(config)})
