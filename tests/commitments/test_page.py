"""The example of docs/savings.md, as the code works it out."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from dagster_project.domain.rightsizing.commitments import EC2_PLAN
from tests.commitments.nights import ONE, at, compute_plan, in_account, reserved, was_read
from tests.night_builders import night

PAGE = (Path(__file__).parents[2] / "docs" / "savings.md").read_text(encoding="utf-8")
SIZES = {"a": "m5.2xlarge", "b": "m5.xlarge", "c": "m5.xlarge"}


def table(header: str) -> dict[str, list[str]]:
    """A table of the page by its first column, without what else that holds."""
    lines = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.partition(",")[0]: rest for first, *rest in cells}


def test_the_example_is_what_a_night_says(tmp_path: Path) -> None:
    machines = [in_account(resource_id=name, instance_type=size, service=name) for name, size in SIZES.items()]
    runtime = at(tmp_path)
    was_read(runtime)
    commitments = [
        reserved("m5.large", 5, ends_at=datetime(2026, 3, 1)),  # noqa: DTZ001 - naive UTC
        compute_plan(0.0432, kind=EC2_PLAN, region="us-east-1", family="m5", account_id=ONE, ends_at=datetime(2025, 9, 1)),  # noqa: DTZ001
    ]
    found = night(runtime, *machines, aws_commitments=commitments)
    saves = {name: [f"${row['savings_usd_month']:.2f}"] for name, row in found.items()}
    assert {name: cells[2:] for name, cells in table("| machine | units now").items()} == saves
    assert {
        name: [f"${row['cash_savings_usd_month']:.2f}", f"{row['covered_pct']:g} %", str(row["cash_from"] or "")]
        for name, row in found.items()
    } == {name: cells[2:] for name, cells in table("| machine | frees").items()}
    cash = sum(row["cash_savings_usd_month"] for row in found.values())
    total = sum(row["savings_usd_month"] for row in found.values())
    assert f"${cash:.2f} of ${total:.2f} a month is cash now" in PAGE
    assert cash == pytest.approx(9.5 * 0.024 * 730)


def test_the_settings_that_it_shows_are_settings(tmp_path: Path) -> None:
    from dagster_project.settings import load_settings

    file = tmp_path / "nightshift.toml"
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    file.write_text(shown, encoding="utf-8")
    prices = load_settings({"NIGHTSHIFT_CONFIG": str(file)}).prices
    assert (prices.discounts["m5"], prices.accounts[0].discounts["m5"]) == (20, 30)
    assert f"taken to be {prices.savings_plan_discount_pct:g} % below list" in PAGE
