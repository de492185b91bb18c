"""What holds for any fleet, any commitments and any proposals."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.rightsizing.cash import COMMITMENTS, ON_DEMAND, Cash, Cover, Shrink, cash_of, on_demand_usd_hour
from dagster_project.domain.rightsizing.commitments import Use
from tests.commitments.pools import FIRST, HOURS, database, family_plan, halved, plan, reserved, runs, shrink

MONEY = 1e-4
quickly = settings(deadline=None, max_examples=150)
SIZES = ("large", "xlarge", "2xlarge", "4xlarge")


@dataclass(frozen=True)
class Night:
    uses: Sequence[Use]
    covers: Sequence[Cover]
    shrinks: Sequence[Shrink]

    def cash(self) -> dict[str, Cash]:
        return cash_of(self.uses, self.covers, self.shrinks)

    def total(self) -> float:
        return math.fsum(each.usd_month or 0.0 for each in self.cash().values())


@st.composite
def uses(draw: st.DrawFn) -> Use:
    """Machines of two families in two regions, and databases of two engines."""
    size, count = draw(st.sampled_from(SIZES)), draw(st.integers(1, 5))
    if draw(st.booleans()):
        family, region = draw(st.sampled_from(["m5", "c5"])), draw(st.sampled_from(["us-east-1", "eu-west-1"]))
        return runs(f"{family}.{size}", count, region=region, payer=draw(st.sampled_from(["aws", "aws", "other"])))
    engine = draw(st.sampled_from(["postgres", "mysql"]))
    return database(f"db.r6g.{size}", engine, has_standby=draw(st.booleans()))


@st.composite
def covers(draw: st.DrawFn) -> Cover:
    """Commitments that are spread over sizes: what one size is reserved for may be worth more, or less, once it is smaller."""
    ends_on = FIRST + timedelta(days=draw(st.integers(0, 3)))
    usd = draw(st.floats(0, 3))
    kind = draw(st.sampled_from(["reserved", "reserved", "family", "all"]))
    if kind == "reserved":
        return reserved(draw(uses()), ends_on=ends_on)
    if kind == "family":
        where = {"region": draw(st.sampled_from(["us-east-1", "eu-west-1"])), "payer": draw(st.sampled_from(["aws", "other"]))}
        return family_plan(usd, draw(st.sampled_from(["m5", "c5"])), ends_on=ends_on, **where)
    return plan(usd, is_of_databases=draw(st.booleans()), ends_on=ends_on)


@st.composite
def nights(draw: st.DrawFn) -> Night:
    """Some of what runs is to become half of it, or a part of it to go."""
    fleet = draw(st.lists(uses(), min_size=1, max_size=8))
    chosen = draw(st.lists(st.sampled_from(range(len(fleet))), unique=True, min_size=1))
    shrinks = []
    for number in chosen:
        use, is_fewer = fleet[number], draw(st.booleans())
        if is_fewer or use.size.split()[0].endswith(".large"):
            part = replace(use, units=use.units / 2, list_usd_per_hour=(use.list_usd_per_hour or 0.0) / 2)
            shrinks.append(shrink(f"r-{number}", part))
        else:
            shrinks.append(halved(f"r-{number}", use))
    return Night(fleet, draw(st.lists(covers(), max_size=6)), shrinks)


def after(night: Night) -> list[Use]:
    """What runs once everything is carried out: what goes is taken off as a use below zero."""
    gone = [replace(each.gone, units=-each.gone.units) for each in night.shrinks if each.gone is not None]
    return [*night.uses, *gone, *(each.came for each in night.shrinks if each.came is not None)]


@quickly
@given(nights())
def test_together_they_are_what_the_bill_falls_by(night: Night) -> None:
    before, then = on_demand_usd_hour(night.uses, night.covers), on_demand_usd_hour(after(night), night.covers)
    assert night.total() == pytest.approx((before - then) * HOURS, abs=MONEY)
    assert night.total() <= before * HOURS + MONEY


@quickly
@given(nights())
def test_each_is_between_nothing_and_its_saving(night: Night) -> None:
    for each in night.shrinks:
        found = night.cash()[each.resource_id]
        assert found.usd_month is not None
        assert found.covered_pct is not None
        assert -MONEY <= found.usd_month <= each.savings_usd_month
        assert found.usd_month + each.savings_usd_month * found.covered_pct / 100 == pytest.approx(
            each.savings_usd_month, abs=MONEY
        )
        assert (found.from_on is not None) == (found.covered_pct > 0)


@quickly
@given(nights())
def test_without_commitments_all_of_it_is_cash_to_the_last_digit(night: Night) -> None:
    found = replace(night, covers=[]).cash()
    assert found == {each.resource_id: Cash(each.savings_usd_month, 0.0, None, ON_DEMAND) for each in night.shrinks}


@quickly
@given(nights(), covers())
def test_one_more_commitment_never_makes_more_cash(night: Night, one: Cover) -> None:
    assert replace(night, covers=[*night.covers, one]).total() <= night.total() + MONEY


@quickly
@given(nights(), uses())
def test_one_more_machine_never_makes_less_cash(night: Night, one: Use) -> None:
    assert replace(night, uses=[*night.uses, one]).total() >= night.total() - MONEY


@quickly
@given(nights(), st.randoms(use_true_random=False))
def test_no_order_of_anything_changes_a_digit(night: Night, dice: random.Random) -> None:
    def shuffled(values: Sequence[object]) -> list[object]:
        return dice.sample(list(values), len(values))

    assert cash_of(*(shuffled(each) for each in (night.uses, night.covers, night.shrinks))) == night.cash()  # type: ignore[arg-type]


@quickly
@given(nights())
def test_from_the_day_that_is_told_it_is_all_cash_and_not_before(night: Night) -> None:
    def left_on(day: date) -> dict[str, Cash]:
        return replace(night, covers=[each for each in night.covers if each.ends_on is None or each.ends_on > day]).cash()

    for name, found in night.cash().items():
        if found.from_on is not None:
            assert left_on(found.from_on)[name].covered_pct == 0
            assert left_on(found.from_on - timedelta(days=1))[name].covered_pct > 0  # type: ignore[operator]


@quickly
@given(nights())
def test_commitments_of_others_change_nothing(night: Night) -> None:
    strange = [replace(each, payer="nobody", use=None) for each in night.covers]
    assert replace(night, covers=[*night.covers, *strange]).cash() == night.cash()


@quickly
@given(nights())
def test_who_is_told_of_commitments_has_some_in_reach(night: Night) -> None:
    for each in night.shrinks:
        reached = any(cover.reaches(each.gone.pool) for cover in night.covers if each.gone is not None)
        assert night.cash()[each.resource_id].basis == (COMMITMENTS if reached else ON_DEMAND)
