"""A service's headroom over any history of outcomes: within its bounds, never loosened within 28 days of a regret, the same in
whatever order the outcomes of a day are looked at."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.outcomes.learning import Learned, LearningRules, learn
from dagster_project.domain.outcomes.model import HeadroomChange, Outcome
from tests.outcome_builders import change

START = date(2025, 1, 1)
BAD, GOOD, OPEN = "bad", "good", "open"

percent = st.floats(0, 200, allow_nan=False)


@st.composite
def rules(draw: st.DrawFn) -> LearningRules:
    low, high = sorted((draw(percent), draw(percent)))
    return LearningRules(low, high, draw(st.floats(0, 100)), draw(st.floats(0, 100)))


# For each day the fates of a few changes, which become known on it and stay.
histories = st.lists(st.lists(st.sampled_from((BAD, GOOD, OPEN)), max_size=4), min_size=1, max_size=90)


def outcome(number: int, fate: str, day: date) -> Outcome:
    made = change(resource_id=f"i-{number}", service="checkout", source=f"request:apr-{number}")
    regret, check = {BAD: (True, "regret"), GOOD: (False, "fine"), OPEN: (None, None)}[fate]
    reason = "emergency_scaleup" if fate == BAD else None
    return Outcome(made, day, regret=regret, regret_reason=reason, regret_on=day if regret else None, check_28=check)


def lived(fates: list[list[str]], bounds: LearningRules, order: st.DataObject | None = None) -> list[tuple[date, Learned]]:
    """What each day taught, with the store's part played here. A change is seen on the day and for a week afterwards."""
    headrooms: dict[str, HeadroomChange] = {}
    regrets: dict[tuple[str, str], date] = {}
    successes: set[tuple[str, str]] = set()
    seen: list[tuple[date, Outcome]] = []
    taught = []
    for number, today in enumerate(fates):
        day = START + timedelta(days=number)
        seen = [(since, each) for since, each in seen if (day - since).days <= 7]
        seen += [(day, outcome(4 * number + place, fate, day)) for place, fate in enumerate(today)]
        shown = [each for _, each in seen]
        if order is not None:
            shown = order.draw(st.permutations(shown))
        last = max(regrets.values(), default=None)
        found = learn(shown, headrooms, regrets, successes, {"checkout": last} if last else {}, day, bounds)
        headrooms |= {each.service: each for each in found.changes}
        regrets |= dict.fromkeys(found.regrets, day)
        successes |= set(found.successes)
        taught.append((day, found))
    return taught


@given(histories, rules())
@settings(max_examples=150, deadline=None)
def test_the_headroom_stays_within_its_bounds_and_changes_once_a_day(fates: list[list[str]], bounds: LearningRules) -> None:
    for day, found in lived(fates, bounds):
        assert len(found.changes) <= 1
        for each in found.changes:
            assert bounds.min_headroom_pct <= each.headroom_pct <= bounds.max_headroom_pct
            assert each.headroom_pct != each.previous_pct
            assert each.changed_on == day


@given(histories, rules())
@settings(max_examples=150, deadline=None)
def test_it_never_loosens_within_28_days_of_a_regret_and_a_regret_never_loosens(
    fates: list[list[str]], bounds: LearningRules
) -> None:
    last: date | None = None
    for day, found in lived(fates, bounds):
        for each in found.changes:
            if each.headroom_pct < each.previous_pct:
                assert found.regrets == ()
                assert last is None or (day - last).days >= 28
        last = day if found.regrets else last


@given(histories, rules(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_outcomes_within_a_day_does_not_matter(
    fates: list[list[str]], bounds: LearningRules, data: st.DataObject
) -> None:
    fates = fates[:12]
    assert lived(fates, bounds, data) == lived(fates, bounds)


@given(histories, rules())
@settings(max_examples=60, deadline=None)
def test_each_outcome_counts_once_and_none_is_forgotten(fates: list[list[str]], bounds: LearningRules) -> None:
    taught = [found for _, found in lived(fates, bounds)]
    regrets = [key for found in taught for key in found.regrets]
    successes = [key for found in taught for key in found.successes]
    assert len(set(regrets)) == len(regrets) == sum(fate == BAD for today in fates for fate in today)
    assert len(set(successes)) == len(successes) == sum(fate == GOOD for today in fates for fate in today)
