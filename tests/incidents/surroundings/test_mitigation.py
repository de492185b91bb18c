"""What kinds of mitigation did, and what may not be said of them."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.mitigation import Attempt, effects, told_apart


def attempts(action: str, minutes: list[float | None], followed: int = 0) -> list[Attempt]:
    return [Attempt(action, f"INC-{n}", each, n < followed) for n, each in enumerate(minutes)]


def test_each_kind_is_told_by_name_with_its_numbers() -> None:
    scale_ups: list[float | None] = [30.0, 40.0, 45.0, 50.0, 60.0, 80.0, 90.0]
    rollback, scale_up = effects([*attempts("scale_up", scale_ups), *attempts("rollback", [5.0, None])])
    assert (rollback.action_type, rollback.incidents, rollback.measured, rollback.median_minutes) == ("rollback", 2, 1, 5.0)
    assert (scale_up.incidents, scale_up.measured, scale_up.median_minutes) == (7, 7, 50.0)
    assert (scale_up.low_minutes, scale_up.high_minutes) == (40.0, 80.0)


def test_one_measured_incident_has_no_interval_and_none_has_no_median() -> None:
    (one,) = effects(attempts("restart", [12.0]))
    assert (one.median_minutes, one.low_minutes, one.high_minutes) == (12.0, None, None)
    assert "the one that is measured was mitigated 12 minutes later" in one.sentence
    (none,) = effects(attempts("restart", [None, None]))
    assert none.median_minutes is None
    assert "not known of any" in none.sentence


def test_five_values_are_too_few_for_an_interval_and_six_are_not() -> None:
    (five,) = effects(attempts("restart", [1.0, 2.0, 3.0, 4.0, 5.0]))
    assert (five.median_minutes, five.low_minutes, five.high_minutes) == (3.0, None, None)
    assert "in half of 5 it was 3 minutes or less to the mitigation (too few for an interval)" in five.sentence
    (six,) = effects(attempts("restart", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    assert six.low_minutes is not None


def test_the_share_of_secondary_incidents_has_a_wilson_interval() -> None:
    (found,) = effects(attempts("failover", [10.0] * 10, followed=1))
    assert (found.followed, found.followed_pct) == (1, 10.0)
    assert (found.followed_low_pct, found.followed_high_pct) == pytest.approx((1.787, 40.415), abs=0.001)
    assert "1 of them had another incident nearby within 60 minutes (95 % interval 2 to 40 %)" in found.sentence


def test_only_pairs_whose_intervals_do_not_overlap_may_be_told_apart() -> None:
    fast, slow = [float(n) for n in range(1, 21)], [float(n) for n in range(101, 121)]
    middle = [float(n) for n in range(1, 121, 6)]
    found = effects([*attempts("rollback", fast), *attempts("restart", slow), *attempts("scale_up", middle)])
    assert set(told_apart(found)) == {("rollback", "restart"), ("rollback", "scale_up"), ("scale_up", "restart")}
    close = effects([*attempts("rollback", fast), *attempts("scale_up", [each + 5 for each in fast])])
    assert close[0].median_minutes < close[1].median_minutes
    assert told_apart(close) == ()
    assert told_apart(effects([*attempts("a", fast), *attempts("b", fast)])) == ()


def test_what_has_no_interval_is_never_ranked() -> None:
    assert told_apart(effects([*attempts("a", [1.0, 2.0]), *attempts("b", [100.0, 101.0])])) == ()


def test_the_same_attempts_in_any_order_give_the_same_numbers() -> None:
    some = attempts("scale_up", [3.0, 9.0, 27.0, 81.0, None], followed=2)
    assert effects(some) == effects(some[::-1])
