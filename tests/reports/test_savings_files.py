"""The files that finance opens: the rows of the table, no formula, nothing cut."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lake.report_tables import SAVINGS, SAVINGS_COLUMNS
from dagster_project.pipeline.report_place import proposal_url
from dagster_project.settings import ReportSettings, Settings
from dagster_project.settings_acting import SlackSettings
from tests.golden.sample_report import HOSTILE_NAMES
from tests.night_builders import DAY, machine
from tests.report_builders import report_home, reported

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


def test_both_files_hold_the_rows_of_the_table_with_their_day(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    folder = reported(runtime, machine("i-1", team="a"), machine("i-2"), machine("i-3", tags='{"nightshift": "off"}')).html.parent
    table = pl.read_parquet(runtime.lake.path(SAVINGS, DAY), hive_partitioning=False)
    parquet = pl.read_parquet(folder / "savings.parquet", hive_partitioning=False)
    assert parquet.drop("day").equals(table)
    assert parquet["day"].unique().to_list() == [DAY]
    with (folder / "savings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["day", *SAVINGS_COLUMNS]
    assert [row["resource_id"] for row in rows] == table["resource_id"].to_list()
    assert {(row["savings_usd_month"], row["realized_usd_month"], row["team"]) for row in rows} >= {("70.08", "", "a")}


def test_no_text_of_the_csv_is_a_formula_and_none_is_lost(tmp_path: Path) -> None:
    names = [*FORMULAS, *HOSTILE_NAMES]
    folder = reported(report_home(tmp_path), *(machine(name, service=name, team=name) for name in names)).html.parent
    with (folder / "savings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["resource_id"].removeprefix("'") for row in rows} == set(names)
    assert not [row for row in rows for text in row.values() if text.startswith(("=", "+", "@", "\t", "\r"))]
    assert [row["team"] for row in rows if "SUM" in row["team"]] == ["'@SUM(A1)"]


@pytest.mark.parametrize(
    ("report", "slack", "url"),
    [
        (None, None, None),
        (None, "https://a.example/r", "https://a.example/r/proposals/apr-1.html"),
        ("https://b.example", "https://a.example/r", "https://b.example/proposals/apr-1.html"),
    ],
)
def test_a_proposal_has_one_address_wherever_it_is_linked_from(report: str | None, slack: str | None, url: str | None) -> None:
    settings = Settings(report=ReportSettings(url=report), slack=SlackSettings(report_url=slack))
    assert proposal_url(settings, "apr-1") == url
