"""What of a saving is cash: an m5.xlarge (8 units, $116.80 a month) that becomes an m5.large saves $58.40."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.domain.rightsizing.cash import (
    COMMITMENTS,
    ON_DEMAND,
    UNKNOWN,
    Cash,
    Cover,
    Shrink,
    cash_of,
    cover_of,
    on_demand_usd_hour,
)
from dagster_project.domain.rightsizing.commitments import COMPUTE_PLAN, EC2_PLAN, EC2_RESERVED, Commitment, Use
from tests.commitments.pools import FIRST, LAST, database, family_plan, fleet, halved, plan, reserved, runs, shrink

HALF = 58.40


def cash(*covers: Cover, of: Shrink | None = None, beside: tuple[Use, ...] = ()) -> Cash:
    """What one proposal saves."""
    one = of or halved("i-1")
    return cash_of(fleet(one, beside=beside), covers, [one])[one.resource_id]


def usd(*covers: Cover, of: Shrink | None = None, beside: tuple[Use, ...] = ()) -> float | None:
    return cash(*covers, of=of, beside=beside).usd_month


def test_without_commitments_all_of_it_is() -> None:
    one = halved("i-1")
    assert one.savings_usd_month == pytest.approx(HALF)
    assert cash(of=one) == Cash(one.savings_usd_month, 0.0, None, ON_DEMAND)


@pytest.mark.parametrize(
    ("units", "saved", "covered_pct", "from_on"),
    [
        (12, 0, 100, FIRST), (8, 0, 100, FIRST), (6, HALF / 2, 50, FIRST), (5, HALF * 0.75, 25, FIRST), (4, HALF, 0, None),
        (1, HALF, 0, None),
    ],
)  # fmt: skip
def test_what_is_on_demand_falls_first(units: int, saved: float, covered_pct: float, from_on: date | None) -> None:
    found = cash(reserved(runs("m5.small", units)))
    assert found == Cash(pytest.approx(saved), pytest.approx(covered_pct), from_on, COMMITMENTS)


def test_what_else_runs_in_the_pool_may_use_the_reservation() -> None:
    assert usd(reserved(runs("m5.xlarge")), beside=(runs("m5.large"),)) == pytest.approx(HALF)
    assert usd(reserved(runs("m5.xlarge")), beside=(runs("m5.large", region="eu-west-1"),)) == 0
    assert usd(reserved(runs("m5.xlarge")), beside=(runs("c5.large"),)) == 0
    assert usd(reserved(runs("m5.xlarge")), beside=(runs("m5.large", platform="windows"),)) == 0
    assert usd(reserved(runs("m5.xlarge")), beside=(runs("m5.large", payer="other"),)) == 0


def test_the_rest_on_demand_is_given_out_once_and_to_what_saves_most() -> None:
    large, small, same = halved("c", runs("m5.2xlarge")), halved("b"), halved("a")
    # 32 units run and 20 are reserved: 12 on demand, of which the first takes 8 and the next 4.
    covers = [reserved(runs("m5.xlarge", 2.5))]
    found = cash_of(fleet(small, large, same), covers, [small, large, same])
    assert {name: each.usd_month for name, each in found.items()} == {
        "c": pytest.approx(2 * HALF), "a": pytest.approx(HALF), "b": 0.0,
    }  # fmt: skip
    assert [found[name].from_on for name in "abc"] == [None, FIRST, None]


def test_a_reservation_of_one_size_pays_for_nothing_else() -> None:
    """It goes on being paid, and the smaller size is paid on top."""
    zonal = reserved(runs("m5.xlarge"), is_spread=False)
    assert cash(zonal) == Cash(pytest.approx(-HALF), 100.0, FIRST, COMMITMENTS)
    # Where another machine of the size takes it over, everything is cash.
    assert usd(zonal, beside=(runs("m5.xlarge"),)) == pytest.approx(HALF)
    # One that waits for the smaller size is no reason to promise more than the saving.
    assert usd(reserved(runs("m5.large"), is_spread=False)) == pytest.approx(HALF)


def test_a_family_s_plan_pays_for_every_platform_and_tenancy_after_reservations() -> None:
    windows = halved("w", runs(platform="windows"))
    assert usd(reserved(runs(count=9)), of=windows) == pytest.approx(HALF)
    assert cash(family_plan(0.16), of=windows) == Cash(0.0, 100.0, FIRST, COMMITMENTS)
    # Two xlarges cost 32 cents; 16 are reserved and 12 planned: 4 cents are on demand, half of what is freed.
    beside, covers = (runs(),), (reserved(runs()), family_plan(0.12))
    assert usd(*covers, of=windows, beside=beside) == pytest.approx(HALF / 2)
    assert usd(family_plan(0.16, "c5"), family_plan(0.16, region="eu-west-1"), family_plan(0.16, payer="other")) == pytest.approx(
        HALF
    )


def test_compute_plans_pay_for_every_family_and_region_in_the_end() -> None:
    beside = (runs("c5.xlarge", region="eu-west-1"),)
    assert usd(plan(0.30), beside=beside) == pytest.approx(0.02 * 730)
    assert usd(plan(0.30)) == 0
    assert usd(plan(0.16), plan(0.14), beside=beside) == pytest.approx(0.02 * 730)
    # 8 cents of the family's plan are left over, and pay for nothing else.
    assert usd(plan(0.08), family_plan(0.24, "c5", region="eu-west-1"), beside=beside) == pytest.approx(HALF)


def test_databases_have_plans_and_reservations_of_their_own() -> None:
    one = halved("db", database())
    assert usd(plan(9), reserved(runs(count=9)), of=one) == pytest.approx(HALF)
    assert usd(plan(0.16, is_of_databases=True), of=one) == 0
    assert usd(plan(9, is_of_databases=True)) == pytest.approx(HALF)
    assert usd(reserved(database(engine="mysql")), of=one) == pytest.approx(HALF)


def test_a_reservation_is_spread_over_databases_with_and_without_a_standby() -> None:
    doubled = halved("db", database(has_standby=True))
    assert doubled.savings_usd_month == pytest.approx(2 * HALF)
    assert usd(reserved(database()), of=doubled) == pytest.approx(2 * HALF)
    assert usd(reserved(database(has_standby=True)), of=doubled) == 0
    # Not of an engine whose licence AWS sells.
    server = halved("sql", database(engine="sqlserver-se", has_standby=True))
    assert usd(reserved(database(engine="sqlserver-se"), is_spread=False), of=server) == pytest.approx(2 * HALF)
    assert usd(reserved(database(engine="sqlserver-se", has_standby=True), is_spread=False), of=server) == pytest.approx(
        -2 * HALF
    )


def test_another_family_is_paid_on_top_of_a_reservation_that_nothing_uses_any_more() -> None:
    moved = shrink("i-1", runs(), runs("c6g.large"))
    # $116.80 stay paid, and $58.40 come on top.
    assert cash(reserved(runs()), of=moved) == Cash(pytest.approx(-HALF), 100.0, FIRST, COMMITMENTS)
    # A plan for everything goes with it; a reservation that waits there is no reason to promise more.
    assert usd(plan(0.16), of=moved) == 0
    assert usd(reserved(runs("c6g.xlarge")), of=moved) == pytest.approx(HALF)
    # What stays paid is told as it is paid: $116.80 less 50 %, of a saving that is paid so too.
    half_price = shrink("i-1", runs(), runs("c6g.large"), paid_pct=50)
    assert usd(reserved(runs()), of=half_price) == pytest.approx(HALF / 2 - HALF)


def test_discounts_do_not_change_what_share_is_cash() -> None:
    """$58.40 at list are $46.72 at 20 % off; half of the freed units are on demand."""
    one = shrink("i-1", runs(), runs("m5.large"), paid_pct=80)
    found = cash(reserved(runs("m5.small", 6)), of=one)
    assert found == Cash(pytest.approx(HALF * 0.8 / 2), pytest.approx(50), FIRST, COMMITMENTS)


def test_fewer_members_free_what_they_used() -> None:
    fewer = shrink("web", runs("m5.large", 3))
    beside = (runs("m5.large", 7),)
    assert usd(reserved(runs("m5.large", 9)), of=fewer, beside=beside) == pytest.approx(HALF)
    assert usd(reserved(runs("m5.large", 7)), of=fewer, beside=beside) == pytest.approx(3 * HALF)


def test_what_is_not_known_is_never_cash() -> None:
    nothing = Cash(None, None, None, UNKNOWN)
    unsized = Cover(EC2_RESERVED, "aws", "us-east-1", "m5", True, None, None, FIRST)
    elsewhere = Cover(EC2_RESERVED, "aws", "us-east-1", "c5", True, None, None, FIRST)
    assert cash(unsized) == cash(plan(None)) == cash(family_plan(None)) == nothing
    assert (
        cash(elsewhere, family_plan(None, "c5"), plan(None, is_of_databases=True), plan(None, payer="other")).basis == ON_DEMAND
    )
    assert cash(of=Shrink("i-1", 10.0, None)) == nothing
    assert cash(unsized, of=shrink("i-1", runs("c5.xlarge"), runs("m5.large"))) == nothing


def test_the_rest_is_cash_when_enough_has_ended() -> None:
    first, last = reserved(runs("m5.large")), reserved(runs("m5.large"), ends_on=LAST)
    assert cash(first, last).from_on == FIRST
    assert cash(last, last, first, beside=(runs("m5.large"),)).from_on == FIRST
    assert cash(last, last, first).from_on == LAST
    assert cash(reserved(runs(), ends_on=None), first) == Cash(0.0, 100.0, None, COMMITMENTS)
    # A date on which nothing ends that pays for it is not one.
    assert cash(last, last, plan(1, is_of_databases=True)).from_on == LAST


def test_a_unit_of_a_pool_has_one_price_and_rounding_in_a_price_list_is_not_cash() -> None:
    rough = halved("i-1", savings=57.9)
    beside = (runs("m5.4xlarge", unit=0.0199), runs("m5.large", unit=None))
    assert cash(of=rough, beside=beside) == Cash(57.9, 0.0, None, ON_DEMAND)
    assert cash(reserved(runs(count=9)), of=rough, beside=beside) == Cash(0.0, 100.0, FIRST, COMMITMENTS)
    # 44 units run, of which 42 are reserved: half of what is freed.
    assert usd(reserved(runs("m5.medium", 21)), of=rough, beside=beside) == pytest.approx(57.9 / 2)


def test_a_commitment_pays_where_it_says() -> None:
    machines = Commitment(
        "ri", "111111111111", EC2_RESERVED, "us-east-1", "m5", "m5.large", "linux", "default", is_size_flexible=True, reserved=2
    )
    assert cover_of(machines, "aws", 28) == reserved(runs("m5.large", 2, unit=None), ends_on=None)
    unknown = cover_of(Commitment("ri", "1", EC2_RESERVED, "us-east-1", "m5", "m5.metal", reserved=1), "aws", 28)
    assert (unknown.is_known, unknown.reaches(runs().pool), unknown.reaches(runs("c5.large").pool)) == (False, True, False)


@pytest.mark.parametrize(("kind", "pct", "at_list"), [(COMPUTE_PLAN, 28, 1 / 0.72), (EC2_PLAN, 50, 2.0), (COMPUTE_PLAN, 0, 1.0)])
def test_a_plan_pays_for_more_than_it_costs(kind: str, pct: float, at_list: float) -> None:
    assert cover_of(Commitment("sp", "1", kind, usd_per_hour=1.0), "aws", pct).usd_per_hour == pytest.approx(at_list)
    assert not cover_of(Commitment("sp", "1", kind), "aws", pct).is_known


def test_what_is_on_demand_is_what_nothing_pays_for() -> None:
    uses = [runs("m5.xlarge", 3), runs("c5.large"), database()]
    assert on_demand_usd_hour(uses, []) == pytest.approx(0.48 + 0.08 + 0.16)
    covers = [reserved(runs("m5.xlarge", 2)), family_plan(0.10), plan(0.05), plan(0.06, is_of_databases=True)]
    assert on_demand_usd_hour(uses, covers) == pytest.approx(0.06 + 0.08 - 0.05 + 0.10)
