"""Stated chances against what happened: buckets, and an interval that is the right one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.outcomes.calibration import Bucket, Watched, calibrate, calibration_sentences, wilson


def bounds(hits: int, trials: int) -> tuple[float, float]:
    """The shares (percent) that a sample of ``trials`` is just compatible with: where the distance of what was seen from the
    share is 1.96 of the share's own standard errors. Found by halving, not by the formula."""

    def is_compatible(share: float) -> bool:
        error = math.sqrt(share * (1 - share) / trials)
        return abs(hits / trials - share) <= 1.959963984540054 * error

    def edge(inside: float, outside: float) -> float:
        for _ in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if is_compatible(middle) else (inside, middle)
        return 100 * inside

    seen = hits / trials
    return (0.0 if hits == 0 else edge(seen, 0.0), 100.0 if hits == trials else edge(seen, 1.0))


@given(st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_holds_exactly_the_shares_that_what_was_seen_does_not_contradict(counts: tuple[int, int]) -> None:
    found = wilson(*counts)
    assert found is not None
    assert found == pytest.approx(bounds(*counts), abs=1e-6)


def test_known_intervals() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    published = {(81, 263): (25.53, 36.62), (15, 148): (6.24, 16.05), (0, 20): (0.0, 16.11), (1, 29): (0.61, 17.18)}
    for counts, interval in published.items():
        assert wilson(*counts) == pytest.approx(interval, abs=0.006)
    assert wilson(0, 0) is None


def test_changes_are_put_together_by_what_was_stated() -> None:
    stated = [0.0, 0.99, 1.0, 1.99, 2.0, 4.99, 5.0, 9.99, 10.0, 80.0]
    found = calibrate(Watched(pct, weeks=4, exceeded=1) for pct in stated)
    assert [(each.label, each.changes, each.weeks, each.exceeded) for each in found] == [
        ("under 1 %", 2, 8, 2),
        ("1 to 2 %", 2, 8, 2),
        ("2 to 5 %", 2, 8, 2),
        ("5 to 10 %", 2, 8, 2),
        ("10 % and more", 2, 8, 2),
    ]


def test_what_was_stated_is_weighed_by_the_weeks_that_were_watched() -> None:
    (bucket,) = calibrate([Watched(2.0, weeks=1, exceeded=0), Watched(4.0, weeks=3, exceeded=1)])
    assert (bucket.stated_pct, bucket.exceeded_pct) == (3.5, 25.0)
    assert (bucket.low_pct, bucket.high_pct) == pytest.approx(bounds(1, 4))


def test_without_a_week_nothing_is_claimed() -> None:
    (bucket,) = calibrate([Watched(2.0, weeks=0, exceeded=0)])
    assert bucket == Bucket("2 to 5 %", 1, 0, 0, None, None, None)
    assert bucket.exceeded_pct is None
    assert calibration_sentences([bucket]) == ()
    assert calibrate([]) == ()


@pytest.mark.parametrize(
    ("stated", "weeks", "exceeded", "told"),
    [
        (1.5, 200, 3, ("1 to 2 %", "1.5 %", "3 of 200 weeks", "0.5 to 4.3 %", "which does not contradict it")),
        (1.5, 200, 30, ("1 to 2 %", "1.5 %", "30 of 200 weeks", "10.7 to 20.6 %", "more often than was stated")),
        (8.0, 2000, 10, ("5 to 10 %", "8.0 %", "10 of 2,000 weeks", "0.3 to 0.9 %", "less often than was stated")),
        (0.5, 1, 0, ("under 1 %", "0.5 %", "0 of 1 week", "0.0 to 79.3 %", "which does not contradict it")),
    ],
)
def test_a_sentence_says_the_counts_and_what_they_mean(stated: float, weeks: int, exceeded: int, told: tuple[str, ...]) -> None:
    label, mean, counts, interval, judged = told
    assert calibration_sentences(calibrate([Watched(stated, weeks, exceeded)])) == (
        f"Where a chance of {label} a week was stated ({mean} on average), {counts} had a sample that exceeded the new size "
        f"(95 % interval {interval}), {judged}.",
    )
