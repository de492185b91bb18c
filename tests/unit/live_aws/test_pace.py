"""How fast AWS is asked, on a clock of our own: never slower before it asks to wait, then at a rate that it takes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.connections.aws.pace import Pace


class Ticks:
    """A clock that stands still until it is moved. ``slept`` are the waits; they move it unless ``is_frozen``."""

    def __init__(self, at: float = 1000.0, *, is_frozen: bool = False) -> None:
        self.at = at
        self.slept: list[float] = []
        self._is_frozen = is_frozen

    def now(self) -> datetime:
        return datetime(2025, 3, 9, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self._is_frozen:
            self.at += seconds


def slowed(clock: Ticks, requests: int, seconds: float) -> Pace:
    """A pace that was refused for the first time after so many requests in so many seconds."""
    pace = Pace(clock)
    for _ in range(requests):
        pace.wait()
    clock.at += seconds
    pace.refused()
    return pace


def test_nobody_waits_before_aws_asks_to() -> None:
    clock = Ticks()
    pace = Pace(clock)
    for _ in range(1000):
        pace.wait()
        pace.answered()
    assert (clock.slept, pace.rate) == ([], None)


@pytest.mark.parametrize(
    ("requests", "seconds", "rate"),
    [
        (100, 1.0, 80.0),
        (100, 10.0, 8.0),
        (50, 0.5, 80.0),
        # A first moment is too short to tell a rate from.
        (4, 0.0, 32.0),
        (4, 0.05, 32.0),
        (4, 0.1, 32.0),
        (4, 0.2, 16.0),
        # Nor can it become slower than one request in two seconds.
        (1, 1.6, 0.5),
        (1, 3600.0, 0.5),
        (0, 10.0, 0.5),
    ],
)
def test_the_first_refusal_leaves_four_fifths_of_the_rate_that_was_too_high(requests: int, seconds: float, rate: float) -> None:
    assert slowed(Ticks(), requests, seconds).rate == pytest.approx(rate)


def test_requests_then_come_at_the_rate() -> None:
    clock = Ticks(at=0.0)
    pace = slowed(clock, 2, 0.4)
    assert pace.rate == pytest.approx(4.0)
    began = clock.at
    sent = []
    for _ in range(5):
        pace.wait()
        sent.append(clock.at - began)
    assert sent == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])
    # Who comes late enough does not wait, and has saved nothing up.
    clock.at += 60
    before = len(clock.slept)
    pace.wait()
    assert len(clock.slept) == before
    pace.wait()
    assert clock.slept[before:] == pytest.approx([0.25])


def test_refusals_within_a_second_are_one_refusal() -> None:
    clock = Ticks()
    pace = slowed(clock, 100, 1.0)
    for _ in range(9):
        clock.at += 0.1
        pace.refused()
    assert pace.rate == pytest.approx(80.0)
    clock.at += 0.1001
    pace.refused()
    assert pace.rate == pytest.approx(64.0)
    # The second counts from the last one that counted.
    clock.at += 0.999
    pace.refused()
    assert pace.rate == pytest.approx(64.0)
    clock.at += 0.001001
    pace.refused()
    assert pace.rate == pytest.approx(51.2)


def test_a_refusal_exactly_a_second_later_is_another_one() -> None:
    clock = Ticks(at=0.0)
    pace = slowed(clock, 10, 1.0)
    clock.at += 1.0
    pace.refused()
    assert pace.rate == pytest.approx(6.4)


def test_refusals_never_make_it_slower_than_one_request_in_two_seconds() -> None:
    clock = Ticks()
    pace = slowed(clock, 10, 1.0)
    for _ in range(30):
        clock.at += 1.5
        pace.refused()
    assert pace.rate == 0.5
    pace.wait()
    before = clock.at
    pace.wait()
    assert clock.at - before == pytest.approx(2.0)


def test_a_second_without_a_refusal_makes_it_faster_by_two_requests_a_second() -> None:
    clock = Ticks()
    pace = slowed(clock, 100, 10.0)
    assert pace.rate == pytest.approx(8.0)
    rates = [8.0]
    end = clock.at
    for _ in range(10):
        end += 1.0
        while clock.at < end:
            pace.wait()
            pace.answered()
        rates.append(pace.rate or 0)
    gains = [after - before for before, after in pairwise(rates)]
    assert gains == pytest.approx([2.0] * 10, abs=0.5)
    assert rates[-1] == pytest.approx(28.0, abs=1.0)


def test_an_answer_adds_its_share_of_the_gain() -> None:
    pace = slowed(Ticks(), 100, 10.0)
    pace.answered()
    assert pace.rate == pytest.approx(8.25)
    pace.answered()
    assert pace.rate == pytest.approx(8.25 + 2 / 8.25)


def test_it_finds_the_rate_that_aws_takes_and_stays_about_there() -> None:
    """AWS takes ten requests in a second and refuses the others, as a bucket of tokens does."""
    clock = Ticks()
    pace = Pace(clock)
    tokens, filled_at, answers, refusals = 10.0, clock.at, [], 0
    while clock.at < 1300:
        pace.wait()
        tokens, filled_at = min(10.0, tokens + 10.0 * (clock.at - filled_at)), clock.at
        if tokens >= 1:
            tokens -= 1
            answers.append(clock.at)
            pace.answered()
        else:
            refusals += 1
            pace.refused()
            clock.at += 0.5  # who was refused waits
    last = [at for at in answers if at >= 1200]
    assert 7 * 100 <= len(last) <= 10 * 100 + 10
    assert refusals < 0.1 * len(answers)
    assert pace.rate is not None
    assert 5 < pace.rate < 20


def test_threads_share_the_rate_and_no_two_have_the_same_turn() -> None:
    clock = Ticks(is_frozen=True)
    pace = slowed(clock, 50, 10.0)
    assert pace.rate == pytest.approx(4.0)
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        for _ in range(25):
            pace.wait()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    # The first of two hundred does not wait at all.
    assert sorted(clock.slept) == pytest.approx([number * 0.25 for number in range(1, 200)])


def test_threads_that_are_refused_together_are_refused_once() -> None:
    clock = Ticks(is_frozen=True)
    pace = Pace(clock)
    barrier = threading.Barrier(8)

    def ask() -> None:
        pace.wait()
        barrier.wait()
        pace.refused()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    # Eight requests in no time at all: a tenth of a second is assumed.
    assert pace.rate == pytest.approx(64.0)


def test_nobody_waits_with_the_door_closed_behind_them() -> None:
    """A thread that waits for its turn keeps no other from asking for one."""
    pace: Pace | None = None
    inside: list[bool] = []

    class Other(Ticks):
        def sleep(self, seconds: float) -> None:
            if not inside:
                inside.append(True)
                other = threading.Thread(target=lambda: (pace.answered(), pace.wait()) if pace else None)
                other.start()
                other.join(timeout=30)
                inside.append(not other.is_alive())

    clock = Other(is_frozen=True)
    pace = slowed(clock, 50, 10.0)
    pace.wait()
    pace.wait()
    assert inside == [True, True]


EVENTS = st.lists(st.tuples(st.sampled_from(["wait", "refused", "answered"]), st.floats(0, 5, allow_nan=False)), max_size=60)


@given(EVENTS)
def test_whatever_happens_the_rate_has_a_floor_and_falls_only_by_refusals(events: list[tuple[str, float]]) -> None:
    clock = Ticks()
    pace = Pace(clock)
    for what, seconds in events:
        clock.at += seconds
        before = pace.rate
        getattr(pace, what)()
        if before is None:
            assert what == "refused" or pace.rate is None
        else:
            assert pace.rate is not None
            assert pace.rate >= (0.5 if what == "refused" else before)
            assert pace.rate in (before, pytest.approx(max(0.5, 0.8 * before))) or what == "answered"
        assert pace.rate is None or pace.rate >= 0.5
    assert all(0 < each <= 1 / 0.5 * (len(events) + 1) for each in clock.slept)
