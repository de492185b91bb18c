"""What an applied change saves is what is paid less for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from dagster_project.settings_prices import AccountPrices, PriceSettings
from tests.outcome_builders import Days
from tests.proposal_builders import machines

LIST_USD = 0.192 * 730
"""m5.2xlarge costs $0.384 an hour in us-east-1, m5.xlarge half of it."""
ACCOUNT = "111111111111"


class PaidDays(Days):
    """Days whose prices are not the list's."""

    prices = PriceSettings()

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"prices": self.prices})


@pytest.mark.parametrize(
    ("prices", "share"),
    [
        ({}, 1.0),
        ({"discounts": {"m5": 20}}, 0.8),
        ({"discounts": {"*": 50, "m5": 20}}, 0.8),
        ({"discounts": {"m5": 20}, "accounts": [AccountPrices(id=ACCOUNT, discounts={"*": 75})]}, 0.25),
    ],
)
def test_it_counts_as_it_is_paid(tmp_path: Path, dsn: str, prices: dict[str, Any], share: float) -> None:
    days = PaidDays(tmp_path, dsn, machines("i-1"), inventory={"i-1": {"account_id": ACCOUNT}})
    days.prices = PriceSettings(**prices)
    days.night()
    machine = days.machines["i-1"]
    machine.live, machine.target = machine.target or machine.live, None
    days.day += timedelta(days=1)
    row = days.night()["i-1"]
    assert row["realized_usd_month"] == pytest.approx(share * LIST_USD)
    assert row["estimated_usd_month"] == 140.0
