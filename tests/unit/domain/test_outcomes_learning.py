"""What a service learns from its outcomes: by how much its headroom grows, when it falls again, and what counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dagster_project.domain.outcomes.learning import Learned, LearningRules, learn, regret_sentence
from dagster_project.domain.outcomes.model import HeadroomChange, Outcome
from tests.outcome_builders import change

DAY = date(2025, 4, 10)
RULES = LearningRules()


def regret(name: str = "i-1", service: str | None = "checkout", reason: str = "emergency_scaleup", **values: object) -> Outcome:
    made = change(resource_id=name, service=service)
    return Outcome(made, DAY - timedelta(days=3), regret=True, regret_reason=reason, regret_on=DAY, **values)  # type: ignore[arg-type]


def success(name: str = "i-2", service: str | None = "checkout") -> Outcome:
    return Outcome(change(resource_id=name, service=service), DAY - timedelta(days=28), regret=False, check_28="fine")


def at(headroom: float, days_ago: int = 40, service: str = "checkout") -> dict[str, HeadroomChange]:
    return {service: HeadroomChange(service, DAY - timedelta(days=days_ago), headroom, 0.0, "before")}


def learned(
    outcomes: Sequence[Outcome],
    headrooms: dict[str, HeadroomChange] | None = None,
    last_regret_days_ago: int | None = None,
    rules: LearningRules = RULES,
    regrets: Sequence[tuple[str, str]] = (),
    successes: Sequence[tuple[str, str]] = (),
) -> Learned:
    last = {} if last_regret_days_ago is None else {"checkout": DAY - timedelta(days=last_regret_days_ago)}
    return learn(outcomes, headrooms or {}, regrets, successes, last, DAY, rules)


def steps(found: Learned) -> list[tuple[str, float, float]]:
    return [(each.service, each.previous_pct, each.headroom_pct) for each in found.changes]


def test_a_regret_adds_a_step_and_says_why() -> None:
    found = learned([regret()])
    told = "m5.xlarge of i-1 was followed by an emergency scale-up on 2025-04-10"
    assert found.changes == (HeadroomChange("checkout", DAY, 20.0, 0.0, told),)
    assert found.regrets == (("i-1", "request:apr-1"),)


def test_several_regrets_of_one_day_are_one_step_and_all_are_counted() -> None:
    found = learned([regret("i-3"), regret("i-1"), regret("i-2")])
    assert steps(found) == [("checkout", 0.0, 20.0)]
    assert found.changes[0].reason.endswith(" (and 2 more)")
    assert found.changes[0].reason.startswith("m5.xlarge of i-1 ")
    assert [name for name, _ in found.regrets] == ["i-1", "i-2", "i-3"]


def test_each_service_learns_for_itself() -> None:
    found = learned([regret("i-1", "search"), regret("i-2", "checkout")])
    assert steps(found) == [("checkout", 0.0, 20.0), ("search", 0.0, 20.0)]


@pytest.mark.parametrize(("present", "then"), [(0.0, 20.0), (20.0, 40.0), (40.0, 50.0), (49.0, 50.0)])
def test_it_grows_to_the_most_that_the_settings_allow(present: float, then: float) -> None:
    assert steps(learned([regret()], at(present))) == [("checkout", present, then)]


def test_at_the_most_a_regret_changes_nothing_and_is_counted() -> None:
    found = learned([regret()], at(50.0))
    assert (found.changes, found.regrets) == ((), (("i-1", "request:apr-1"),))


def test_what_counted_counts_no_more() -> None:
    counted = [("i-1", "request:apr-1"), ("i-2", "request:apr-1")]
    assert learned([regret()], regrets=counted) == Learned()
    assert learned([success()], at(20.0), successes=counted) == Learned()


@pytest.mark.parametrize(("days_ago", "then"), [(None, 15.0), (28, 15.0), (27, None), (0, None)])
def test_a_success_takes_a_smaller_step_off_after_28_days_without_a_regret(days_ago: int | None, then: float | None) -> None:
    found = learned([success()], at(20.0), days_ago)
    assert steps(found) == ([] if then is None else [("checkout", 20.0, then)])
    # It was looked at once, whatever came of it.
    assert found.successes == (("i-2", "request:apr-1"),)


def test_a_regret_of_the_same_day_outweighs_a_success() -> None:
    found = learned([success(), regret()], at(20.0))
    assert steps(found) == [("checkout", 20.0, 40.0)]
    assert (found.regrets, found.successes) == ((("i-1", "request:apr-1"),), (("i-2", "request:apr-1"),))


def test_it_falls_no_lower_than_the_settings_allow() -> None:
    rules = replace(RULES, min_headroom_pct=10)
    assert steps(learned([success()], at(12.0), rules=rules)) == [("checkout", 12.0, 10.0)]
    assert steps(learned([success()], at(10.0), rules=rules)) == []
    assert steps(learned([regret()], rules=rules)) == [("checkout", 10.0, 30.0)]


def test_settings_that_have_changed_bound_what_was_learned_before() -> None:
    assert steps(learned([success()], at(50.0), rules=replace(RULES, max_headroom_pct=30))) == [("checkout", 30.0, 25.0)]


def test_a_service_changes_once_a_day_and_learns_the_rest_tomorrow() -> None:
    assert learned([regret()], at(20.0, days_ago=0)) == Learned()
    assert steps(learned([regret()], at(20.0, days_ago=1))) == [("checkout", 20.0, 40.0)]


def test_without_a_service_and_from_what_went_back_nothing_is_learned() -> None:
    back = replace(regret(), change=replace(regret().change, is_rollback=True))
    assert learned([regret(service=None), back, success(service=None)]) == Learned()


def test_what_is_not_known_yet_teaches_nothing() -> None:
    checks = (("i-1", None), ("i-2", "unknown"))
    open_ones = [Outcome(change(resource_id=name), DAY, check_7="fine", check_28=check) for name, check in checks]
    assert learned(open_ones, at(20.0)) == Learned()


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (regret(), "m5.xlarge of i-1 was followed by an emergency scale-up on 2025-04-10"),
        (regret(reason="reversed"), "m5.xlarge of i-1 was taken back on 2025-04-10"),
        (regret(reason="exceeded", exceeded_samples=1), "m5.xlarge of i-1 was full in one sample, first on 2025-04-10"),
        (regret(reason="exceeded", exceeded_samples=1200), "m5.xlarge of i-1 was full in 1,200 samples, first on 2025-04-10"),
    ],
)
def test_each_regret_has_its_sentence(outcome: Outcome, told: str) -> None:
    assert regret_sentence(outcome) == told
