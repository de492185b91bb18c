"""What is paid instead of list prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.rightsizing.discounts import LIST_PRICES, Discounts, at_list, list_savings
from tests.rightsizing_builders import CATALOG, sizes_changed

EVERY = {"*": 10, "m5": 20, "db.r6g": 15}
AGREED = Discounts(EVERY, {"222222222222": {"m5": 30}, "333333333333": {"*": 0}})


@pytest.mark.parametrize(
    ("family", "account", "pct"),
    [
        ("m5", None, 20), ("c5", None, 10), ("db.r6g", "111111111111", 15), (None, None, 10),
        ("m5", "222222222222", 30), ("c5", "222222222222", 10), ("m5", "333333333333", 0), ("c5", "333333333333", 0),
    ],
)  # fmt: skip
def test_the_nearest_agreement_counts(family: str | None, account: str | None, pct: float) -> None:
    assert AGREED.pct(family, account) == pct


def test_without_an_agreement_the_list_price_is_paid() -> None:
    assert Discounts({"m5": 20}).pct("c5") == LIST_PRICES.pct("m5", "111111111111") == 0
    assert LIST_PRICES.paid(CATALOG) is CATALOG


def test_only_accounts_that_pay_otherwise_are_told_apart() -> None:
    accounts = (None, "111111111111", "222222222222")
    assert [AGREED.payer(each) for each in accounts] == [None, None, "222222222222"]


def test_prices_of_a_family_fall_and_what_is_not_known_stays_so() -> None:
    paid = Discounts({"m9": 25}, {"1": {"m9": 50}}).paid(sizes_changed(CATALOG, "m9.large", usd_per_hour=float("nan")))
    number, other = paid.number_of("m9.4xlarge"), paid.number_of("r9.xlarge")
    assert paid.usd_per_hour[number] == pytest.approx(0.75 * CATALOG.usd_per_hour[number])
    assert paid.usd_per_hour[other] == CATALOG.usd_per_hour[other]
    assert np.isnan(paid.usd_per_hour[paid.number_of("m9.large")])
    assert Discounts({"m9": 25}, {"1": {"m9": 50}}).paid(CATALOG, "1").usd_per_hour[number] == CATALOG.usd_per_hour[number] / 2


def test_what_would_be_saved_at_list_prices() -> None:
    # $100 at 20 % off is $125 at list, $40 at half is $80.
    assert list_savings(100, 60, 20, 50) == pytest.approx(125 - 80)
    assert list_savings(100, 60, 20, 20) == pytest.approx(75)
    assert at_list(90, 10) == pytest.approx(100)


@given(st.floats(0, 1e7), st.floats(0, 1))
def test_without_discounts_not_one_digit_changes(now: float, share: float) -> None:
    assert list_savings(now, now * share, 0.0, 0.0) == now * share
