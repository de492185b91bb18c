"""The credit balance of a burstable size, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.domain.rightsizing.credits import CreditOutcome, credits_per_hour, maximum_credits, simulate_credits

# t3.medium: 2 vCPU · 20 % = 0.4 credits a minute, 24 an hour, 576 at most.
VCPU, BASELINE_PCT = 2, 20.0


def simulate(*stretches: tuple[float, float], step_minutes: float = 5, **options: float) -> tuple[float, float]:
    """Lowest balance and shortfall of stretches of (cores in use, minutes), cut into samples."""
    cores = np.concatenate([np.full(round(minutes / step_minutes), load) for load, minutes in stretches])
    outcome = simulate_credits(cores, np.full(len(cores), step_minutes), VCPU, BASELINE_PCT, **options)
    return figures(outcome)


def figures(outcome: CreditOutcome) -> tuple[float, float]:
    return float(outcome.lowest_balance), pytest.approx(float(outcome.shortfall_minutes))


DAY = 24 * 60


def test_what_a_size_earns_and_holds() -> None:
    assert credits_per_hour(2, 30.0) == pytest.approx(36)
    assert maximum_credits(2, 30.0) == pytest.approx(864)
    assert credits_per_hour(np.array([2, 4]), np.array([5.0, 22.5])).tolist() == pytest.approx([6, 54])


def test_a_busy_hour_after_an_idle_day_spends_96_of_576() -> None:
    assert simulate((0.0, DAY), (2.0, 60)) == (480.0, 0)


def test_an_idle_balance_stops_at_24_hours_of_earnings() -> None:
    assert simulate((0.0, 3 * DAY)) == (576.0, 0)
    assert simulate((0.0, 3 * DAY), (2.0, 400)) == (-64.0, 40)  # 576 credits last 360 minutes at 1.6 a minute


def test_a_load_at_the_baseline_keeps_the_balance_at_zero() -> None:
    assert simulate((0.4, 10 * DAY)) == (0.0, 0)


def test_debt_is_paid_back_by_what_is_earned() -> None:
    # 30 minutes at 1 credit a minute beyond the baseline, then 75 idle ones at 0.4.
    assert simulate((0.4, DAY), (1.4, 30), (0.0, 75), (0.4, 60)) == (-30.0, 105)


def test_the_minute_at_which_the_balance_is_used_up_lies_inside_a_sample() -> None:
    # 144 credits from the first day; 200 minutes at 1 a minute: 56 of them without credits, whatever the samples are.
    for step_minutes in (1, 5, 40):
        assert simulate((0.3, DAY), (1.4, 200), step_minutes=step_minutes) == (-56.0, 56)


def test_a_debt_of_the_first_day_still_counts_on_the_second() -> None:
    # 24 hours at 0.1 beyond the baseline are 144 credits, and 360 idle minutes to earn them.
    assert simulate((0.5, DAY), (0.0, 1000)) == (-144.0, 360)


def test_the_first_day_itself_does_not_count() -> None:
    """A new T3 starts without credits: its first busy minute says nothing about what it can sustain."""
    assert simulate((1.4, 60), (0.0, DAY - 60), (0.0, 60)) == (pytest.approx(-60 + 0.4 * (DAY - 60)), 0)
    assert simulate((1.4, 60), (0.0, DAY - 60), (0.0, 60), warm_up_minutes=0) == (-60.0, 60 + 150)


def test_less_than_a_day_shows_nothing_and_fails() -> None:
    assert simulate((0.0, DAY)) == (-np.inf, DAY)
    assert figures(simulate_credits([0.0, 0.0], [DAY, 0], VCPU, BASELINE_PCT)) == (-np.inf, DAY), "padding is no evidence"
    assert figures(simulate_credits([], [], VCPU, BASELINE_PCT)) == (-np.inf, 0)


def test_an_unknown_load_is_full_load() -> None:
    assert simulate((0.0, DAY), (np.nan, 60)) == simulate((0.0, DAY), (2.0, 60)) == (480.0, 0)


def test_a_load_beyond_the_size_becomes_debt() -> None:
    # 4 cores' worth on 2 vCPUs: 3.6 beyond the baseline each minute, work that waits.
    assert simulate((0.4, DAY), (4.0, 10)) == (-36.0, 10)


def test_samples_of_unequal_length_count_by_their_minutes() -> None:
    mixed = simulate_credits([0.0, 2.0, 0.0], [DAY, 60, 30], VCPU, BASELINE_PCT)
    assert figures(mixed) == simulate((0.0, DAY), (2.0, 60), (0.0, 30)) == (480.0, 0)


def test_a_gap_neither_earns_nor_spends() -> None:
    """Time that has no sample is not there: credits and warm-up go on where they stopped."""
    with_gap = simulate_credits([0.0, 0.0, 2.0], [DAY / 2, DAY / 2, 60], VCPU, BASELINE_PCT)
    padded = simulate_credits([0.0, np.nan, 0.0, 2.0, 1.0], [DAY / 2, 0, DAY / 2, 60, 0], VCPU, BASELINE_PCT)
    assert figures(with_gap) == figures(padded) == (480.0, 0)


def test_a_balance_that_is_known_can_be_given() -> None:
    given = {"starting_balance": 100.0, "warm_up_minutes": 0.0}
    assert simulate((2.0, 60), **given) == (4.0, 0)
    assert simulate((2.0, 60), maximum_balance=50.0, **given) == (-46.0, 60 - 50 / 1.6)


def test_one_load_on_many_sizes_at_once() -> None:
    cores, minutes = np.array([0.0, 2.0]), np.array([DAY, 60.0])
    vcpu, baseline = np.array([2, 2, 4]), np.array([5.0, 20.0, 40.0])  # t3.nano, t3.medium, t3.xlarge
    outcome = simulate_credits(cores, minutes, vcpu, baseline)
    assert outcome.lowest_balance == pytest.approx([144 - 1.9 * 60 + 0, 480, 2304 - 0.4 * 60])
    assert outcome.shortfall_minutes.tolist() == [0, 0, 0]
    singly = [simulate_credits(cores, minutes, v, b).lowest_balance for v, b in zip(vcpu, baseline, strict=True)]
    assert outcome.lowest_balance.tolist() == [float(balance) for balance in singly]


def test_many_loads_at_once_with_shorter_ones_padded() -> None:
    cores = np.array([[0.0, 2.0, 0.0], [0.4, 1.4, np.nan], [0.0, np.nan, np.nan]])
    minutes = np.array([[DAY, 60, 60], [DAY, 30, 0], [600, 0, 0]])
    outcome = simulate_credits(cores, minutes, VCPU, BASELINE_PCT)
    assert outcome.lowest_balance.tolist() == [480.0, -30.0, -np.inf]
    assert outcome.shortfall_minutes.tolist() == [0, 30, 600]


@pytest.mark.parametrize(
    ("cores", "minutes", "vcpu", "baseline"),
    [
        ([-0.1], [5], 2, 20.0),
        ([np.inf], [5], 2, 20.0),
        ([0.1], [-5], 2, 20.0),
        ([0.1], [np.nan], 2, 20.0),
        ([0.1], [5], 0, 20.0),
        ([0.1], [5], 2, np.nan),
        ([0.1], [5], 2, 0.0),
        ([0.1], [5], 2, 101.0),
    ],
)
def test_what_cannot_be_is_refused(cores: list[float], minutes: list[float], vcpu: float, baseline: float) -> None:
    with pytest.raises(ValueError, match=r"negative or infinite|no vCPUs"):
        simulate_credits(cores, minutes, vcpu, baseline)
