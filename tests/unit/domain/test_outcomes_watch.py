"""What is told of an applied change from days that are given: the corners that whole nights do not reach."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dagster_project.domain.outcomes.model import Outcome
from dagster_project.domain.outcomes.watch import Emergency, Facts, Listed, Measured, Price, first_live_on, outcome_of
from tests.outcome_builders import change

LIVE_ON = date(2025, 3, 9)
FULL_DAY = Measured(samples=288, cpu_minutes=1440, memory_minutes=1440)
SIZES = {"m5.large": 1, "m5.xlarge": 2, "m5.2xlarge": 3, "m5.4xlarge": 4}


def on(number: int) -> date:
    return LIVE_ON + timedelta(days=number)


def is_no_larger(value: str, than: str) -> bool:
    return value in SIZES and SIZES[value] <= SIZES[than]


def told(after: int, listed: dict[int, Listed] | None = None, days: dict[int, Measured] | None = None, **facts: Any) -> Outcome:
    """The outcome of a change so many days after it became live; ``listed`` and ``days`` say what is unusual on some."""
    sizes = {on(number): Listed("m5.xlarge") for number in range(after + 1)}
    sizes |= {on(number): value for number, value in (listed or {}).items()}
    measured = {on(number): FULL_DAY for number in range(1, after + 1)}
    measured |= {on(number): value for number, value in (days or {}).items()}
    made = facts.pop("made", change(applied_on=LIVE_ON))
    return outcome_of(made, Facts(listed=sizes, measured=measured, **facts), is_no_larger, on(after), 75.0)


def checks(outcome: Outcome) -> tuple[str | None, str | None, str | None]:
    return outcome.check_1, outcome.check_7, outcome.check_28


class TestLive:
    def test_a_change_is_live_on_the_first_day_from_its_decision_on_that_shows_it(self) -> None:
        made = change(decided_at=datetime(2025, 3, 8, 12, tzinfo=UTC), noted_on=on(3))
        # The day before the decision is another story: somebody may have had it as small before.
        listed = {
            on(-2): Listed("m5.xlarge"), on(-1): Listed("m5.2xlarge"), on(0): Listed(None), on(2): Listed("m5.xlarge"),
            on(3): Listed("m5.xlarge"),
        }  # fmt: skip
        assert first_live_on(made, listed, on(5)) == on(2)
        assert first_live_on(made, listed, on(1)) is None
        assert first_live_on(replace(made, applied_on=on(0)), listed, on(5)) == on(0)

    def test_of_a_change_that_is_not_live_nothing_is_known(self) -> None:
        outcome = told(5, made=change(value_after="m5.large"))
        assert (outcome.applied_on, outcome.samples, outcome.regret, outcome.emergencies) == (None, None, None, None)
        assert outcome.value_now == "m5.xlarge"


class TestEnd:
    @pytest.mark.parametrize(
        ("value", "is_reversed"),
        [("m5.2xlarge", True), ("m5.4xlarge", True), ("m5.large", False), ("x9.unheard-of", True)],
    )
    def test_a_larger_size_or_one_that_nobody_knows_is_a_reversal_a_smaller_one_a_further_step(
        self, value: str, is_reversed: bool
    ) -> None:
        outcome = told(5, {4: Listed(value), 5: Listed(value)})
        assert outcome.is_reversed is is_reversed
        assert (outcome.reversed_on, outcome.superseded_on) == ((on(4), None) if is_reversed else (None, on(4)))
        assert outcome.samples == 3 * 288

    def test_a_size_that_is_not_known_for_a_day_reverses_nothing(self) -> None:
        outcome = told(5, {3: Listed(None)})
        assert (outcome.is_reversed, outcome.samples) == (False, 5 * 288)

    def test_the_first_departure_counts_whatever_comes_later(self) -> None:
        outcome = told(6, {3: Listed("m5.2xlarge"), 4: Listed("m5.2xlarge")})
        assert (outcome.is_reversed, outcome.reversed_on, outcome.value_now) == (True, on(3), "m5.xlarge")

    def test_where_nights_did_not_run_the_inventory_says_since_when(self) -> None:
        gap = {number: Listed(None) for number in (3, 4, 5)}
        outcome = told(6, {**gap, 6: Listed("m5.2xlarge", datetime(2025, 3, 12, 9))})
        assert (outcome.reversed_on, outcome.samples) == (on(6), 2 * 288)

    def test_after_28_days_a_reversal_is_no_regret(self) -> None:
        outcome = told(30, {29: Listed("m5.2xlarge"), 30: Listed("m5.2xlarge")})
        assert (outcome.is_reversed, outcome.regret, outcome.check_28) == (True, False, "fine")


class TestEvents:
    def test_of_one_day_the_emergency_is_told_and_of_several_the_first(self) -> None:
        full = Measured(288, 1440, 1440, exceeded=3)
        emergency = Emergency(datetime(2025, 3, 12, 9), "i-1")
        both = told(4, {3: Listed("m5.2xlarge"), 4: Listed("m5.2xlarge")}, emergencies=[emergency])
        assert (both.regret_reason, both.regret_on) == ("emergency_scaleup", on(3))
        before = told(4, days={2: full}, emergencies=[emergency])
        assert (before.regret_reason, before.regret_on, before.exceeded_samples) == ("exceeded", on(2), 3)

    def test_what_made_the_size_go_counts_and_what_came_after_does_not(self) -> None:
        gone = Listed("m5.2xlarge", datetime(2025, 3, 12, 9, 40))
        emergencies = [Emergency(datetime(2025, 3, 12, hour), "i-1") for hour in (9, 10)] + [
            Emergency(datetime(2025, 3, 13), "i-1")
        ]
        outcome = told(4, {3: gone, 4: gone}, emergencies=emergencies)
        assert (outcome.emergencies, outcome.last_emergency_at) == (1, datetime(2025, 3, 12, 9))

    def test_emergencies_and_incidents_of_the_first_28_days_count(self) -> None:
        at = [datetime(2025, 4, 6, 23, 59), datetime(2025, 4, 7, 0, 1)]
        outcome = told(30, emergencies=[Emergency(each, "i-1") for each in at], incidents=at)
        assert (outcome.emergencies, outcome.incidents, outcome.check_28) == (1, 1, "regret")

    def test_without_a_record_of_incidents_their_number_is_unknown(self) -> None:
        assert told(2).incidents is None


class TestChecks:
    def test_a_check_is_due_on_its_day_and_says_what_was_known_by_then(self) -> None:
        emergency = [Emergency(datetime(2025, 3, 13, 9), "i-1")]
        assert checks(told(0)) == (None, None, None)
        assert checks(told(1)) == ("fine", None, None)
        assert checks(told(6, emergencies=emergency)) == ("fine", None, None)
        assert checks(told(7, emergencies=emergency)) == ("fine", "regret", None)
        assert checks(told(28)) == ("fine", "fine", "fine")

    def test_three_quarters_of_the_time_are_enough(self) -> None:
        assert checks(told(1, days={1: Measured(216, 1080, 1080)}))[0] == "fine"
        assert checks(told(1, days={1: Measured(215, 1075, 1440)}))[0] == "unknown"

    def test_memory_must_be_seen_where_the_change_took_some_away(self) -> None:
        unseen = {1: Measured(288, 1440, 0)}
        assert checks(told(1, days=unseen))[0] == "unknown"
        assert checks(told(1, days=unseen, has_less_memory=False))[0] == "fine"

    def test_a_regret_needs_no_samples(self) -> None:
        gone = {number: Measured() for number in range(1, 8)}
        outcome = told(7, days=gone, emergencies=[Emergency(datetime(2025, 3, 10, 9), "i-1")])
        assert (checks(outcome), outcome.samples, outcome.exceeded_samples) == (("regret", "regret", None), 0, None)

    def test_what_went_back_is_not_judged(self) -> None:
        outcome = told(
            28, made=change(applied_on=LIVE_ON, is_rollback=True), emergencies=[Emergency(datetime(2025, 3, 10), "i-1")]
        )
        assert (checks(outcome), outcome.regret, outcome.weeks_observed) == ((None, None, None), None, None)


class TestWeeks:
    def test_whole_weeks_are_watched_and_some_exceeded(self) -> None:
        full = Measured(288, 1440, 1440, exceeded=1)
        outcome = told(28, days={3: full, 9: full})
        assert (outcome.weeks_observed, outcome.weeks_exceeded) == (4, 2)
        assert (told(20).weeks_observed, told(6).weeks_observed) == (2, 0)

    def test_a_week_with_too_few_samples_is_not_watched_unless_something_exceeded(self) -> None:
        gone = {number: Measured() for number in range(1, 4)}
        assert (told(7, days=gone).weeks_observed, told(7, days=gone).weeks_exceeded) == (0, 0)
        gone[4] = Measured(1, 5, 5, exceeded=1)
        assert (told(7, days=gone).weeks_observed, told(7, days=gone).weeks_exceeded) == (1, 1)

    def test_a_change_that_was_taken_back_early_does_not_leave_its_week_out(self) -> None:
        back = {number: Listed("m5.2xlarge") for number in (3, 4)}
        outcome = told(4, back, {1: Measured(288, 1440, 1440, exceeded=2)})
        assert (outcome.weeks_observed, outcome.weeks_exceeded) == (1, 1)


class TestMoney:
    PRICE = Price(before=0.4, after=0.2, now=0.2, units=3)

    def test_the_price_of_what_was_there_less_that_of_what_is_there_now(self) -> None:
        assert told(2, price=self.PRICE).realized_usd_month == pytest.approx(0.2 * 3 * 730)
        assert told(2, price=replace(self.PRICE, now=0.4)).realized_usd_month == 0.0
        assert told(2, price=replace(self.PRICE, now=0.8)).realized_usd_month == pytest.approx(-0.4 * 3 * 730)

    def test_what_a_further_step_saves_is_its_own(self) -> None:
        further = {2: Listed("m5.large"), 3: Listed("m5.large")}
        assert told(3, further, price=replace(self.PRICE, now=0.1)).realized_usd_month == pytest.approx(0.2 * 3 * 730)

    @pytest.mark.parametrize("missing", ["before", "now", "units"])
    def test_without_a_price_what_it_saves_is_unknown(self, missing: str) -> None:
        assert told(2, price=replace(self.PRICE, **{missing: None})).realized_usd_month is None

    def test_members_are_weighed_by_how_often_they_were_counted(self) -> None:
        made = change(attribute="min_size", value_before="6", value_after="4", applied_on=LIVE_ON)
        counted = {-number: replace(FULL_DAY, members=6.0, members_samples=288) for number in range(1, 8)}
        counted |= {1: replace(FULL_DAY, members=4.0, members_samples=288), 2: replace(FULL_DAY, members=5.0, members_samples=96)}
        listed = {number: Listed("4") for number in range(3)}
        outcome = told(2, listed, counted, made=made, price=self.PRICE)
        assert outcome.realized_usd_month == pytest.approx((6 - 4.25) * 0.2 * 730)
        assert told(2, listed, made=made, price=self.PRICE).realized_usd_month is None
        back = {**listed, 2: Listed("6")}
        assert told(2, back, counted, made=made, price=self.PRICE).realized_usd_month == 0.0
