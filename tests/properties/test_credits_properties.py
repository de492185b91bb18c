"""What holds for the credit balance under any load."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.rightsizing.credits import maximum_credits, simulate_credits

# The burstable sizes by what they earn, from t3.nano to t3.2xlarge: (vCPU, baseline in percent per vCPU).
SIZES = [(2, 5.0), (2, 10.0), (2, 20.0), (2, 30.0), (4, 40.0), (8, 40.0)]
SHORTEST = 1e-5  # credits and minutes


@st.composite
def loads(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Cores in use and minutes of up to a few days, unknown samples among them."""
    cores = st.one_of(st.floats(0, 9), st.sampled_from([0.0, 0.1, 0.4, 2.0, np.nan]))
    rows = draw(st.lists(st.tuples(cores, st.sampled_from([1.0, 5.0, 60.0, 600.0, 1440.0])), min_size=1, max_size=40))
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def one_by_one(cores: np.ndarray, minutes: np.ndarray, vcpu: int, baseline_pct: float) -> tuple[float, float]:
    """The definition, sample after sample."""
    balance, clock, lowest, shortfall, counted = 0.0, 0.0, np.inf, 0.0, False
    for load, length in zip(cores, minutes, strict=True):
        rate = vcpu * baseline_pct / 100 - (vcpu if np.isnan(load) else load)
        end = balance + rate * length
        if clock >= 1440:
            counted = True
            lowest = min(lowest, balance, end)
            low, high = min(balance, end), max(balance, end)
            if low < -1e-7:
                shortfall += length if high <= 0 else length * -low / (high - low)
        balance, clock = min(end, float(maximum_credits(vcpu, baseline_pct))), clock + length
    return (lowest, shortfall) if counted else (-np.inf, clock)


@settings(deadline=None)
@given(loads(), st.sampled_from(SIZES))
def test_the_closed_form_is_the_definition(load: tuple[np.ndarray, np.ndarray], size: tuple[int, float]) -> None:
    outcome = simulate_credits(*load, *size)
    lowest, shortfall = one_by_one(*load, *size)
    assert np.allclose(outcome.lowest_balance, lowest, rtol=0, atol=SHORTEST)
    assert np.allclose(outcome.shortfall_minutes, shortfall, rtol=0, atol=1e-3)


@settings(deadline=None)
@given(loads(), st.sampled_from(SIZES), st.data())
def test_more_demand_never_raises_the_lowest_balance(
    load: tuple[np.ndarray, np.ndarray], size: tuple[int, float], data: st.DataObject
) -> None:
    cores, minutes = load
    more = np.array(data.draw(st.lists(st.floats(0, 3), min_size=len(cores), max_size=len(cores))))
    less, busier = simulate_credits(cores, minutes, *size), simulate_credits(cores + more, minutes, *size)
    assert busier.lowest_balance <= less.lowest_balance + SHORTEST
    assert busier.shortfall_minutes >= less.shortfall_minutes - 1e-3


@settings(deadline=None)
@given(loads(), st.sampled_from(SIZES))
def test_what_is_not_known_never_looks_better_than_any_load_the_size_can_have(
    load: tuple[np.ndarray, np.ndarray], size: tuple[int, float]
) -> None:
    cores, minutes = load
    known = np.nan_to_num(cores, nan=0.0).clip(max=size[0])
    unknown = np.where(np.arange(len(cores)) % 2 == 0, np.nan, known)
    outcome, hidden = simulate_credits(known, minutes, *size), simulate_credits(unknown, minutes, *size)
    assert hidden.lowest_balance <= outcome.lowest_balance + SHORTEST


@settings(deadline=None)
@given(loads())
def test_a_larger_size_never_lowers_the_balance(load: tuple[np.ndarray, np.ndarray]) -> None:
    cores, minutes = np.nan_to_num(load[0], nan=1.0), load[1]
    vcpu, baseline_pct = np.array(SIZES).T
    outcome = simulate_credits(cores, minutes, vcpu, baseline_pct)
    gains = outcome.lowest_balance[1:] >= outcome.lowest_balance[:-1] - SHORTEST
    assert gains.all()
    assert (outcome.shortfall_minutes[1:] <= outcome.shortfall_minutes[:-1] + 1e-3).all()


@settings(deadline=None)
@given(loads(), st.sampled_from(SIZES), st.integers(2, 4))
def test_it_does_not_matter_how_an_even_load_is_cut_into_samples(
    load: tuple[np.ndarray, np.ndarray], size: tuple[int, float], pieces: int
) -> None:
    """Beyond the warm-up, which ends between samples: without one here."""
    cores, minutes = load
    whole = simulate_credits(cores, minutes, *size, warm_up_minutes=0)
    cut = simulate_credits(np.repeat(cores, pieces), np.repeat(minutes / pieces, pieces), *size, warm_up_minutes=0)
    assert np.allclose(cut.lowest_balance, whole.lowest_balance, rtol=0, atol=SHORTEST)
    assert np.allclose(cut.shortfall_minutes, whole.shortfall_minutes, rtol=0, atol=1e-2)


@settings(deadline=None)
@given(loads(), st.sampled_from(SIZES), st.randoms())
def test_exchanging_equal_samples_changes_nothing(
    load: tuple[np.ndarray, np.ndarray], size: tuple[int, float], random: object
) -> None:
    cores, minutes = load
    order = np.arange(len(cores))
    for sample in set(zip(cores.tolist(), minutes.tolist(), strict=True)):
        equal = np.flatnonzero((cores == sample[0]) & (minutes == sample[1]))
        shuffled = equal.tolist()
        random.shuffle(shuffled)
        order[equal] = shuffled
    again, once = simulate_credits(cores[order], minutes[order], *size), simulate_credits(cores, minutes, *size)
    assert again.lowest_balance == once.lowest_balance
    assert again.shortfall_minutes == once.shortfall_minutes
