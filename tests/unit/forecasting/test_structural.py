"""The upper bound of next week's peaks: above what rises, close to what does not, and silent where it knows too little."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dagster_project.forecasting import structural
from dagster_project.forecasting.structural import DAYS_AHEAD, MIN_DAYS, is_available, upper_bound

needs_statsmodels = pytest.mark.skipif(not is_available(), reason="the extra 'forecast' (statsmodels) is not installed")


def series(days: int, level: float = 40.0, slope: float = 0.0, noise: float = 1.0, seed: int = 7) -> np.ndarray:
    """Daily peaks: a line, quiet Saturdays and Sundays, noise."""
    random = np.random.default_rng(seed)
    day = np.arange(days)
    return level + slope * day - 5.0 * (day % 7 >= 5) + random.normal(0, noise, days)


@needs_statsmodels
@pytest.mark.parametrize("scale", [0.001, 1.0, 1e6])
def test_what_rises_is_bound_above_its_last_peak_and_below_a_doubled_slope(scale: float) -> None:
    peaks = series(42, slope=1.0) * scale
    bound = upper_bound(peaks)
    assert bound is not None
    in_a_week = (40 + 1.0 * (41 + DAYS_AHEAD)) * scale
    assert peaks.max() < bound
    assert in_a_week - 2 * scale < bound < in_a_week + 10 * scale


@needs_statsmodels
def test_what_is_level_is_bound_close_to_its_highest_peak() -> None:
    for seed in range(5):
        peaks = series(60, seed=seed)
        bound = upper_bound(peaks)
        assert bound is not None
        assert peaks.max() - 2 < bound < peaks.max() + 5


@needs_statsmodels
@pytest.mark.parametrize("days_ahead", range(1, 8))
def test_a_weekly_peak_is_expected_on_whichever_of_the_next_seven_days_it_falls(days_ahead: int) -> None:
    """40 on six days of the week and 80 on the seventh."""
    day, random = np.arange(56), np.random.default_rng(3)
    peaks = 40 + 40.0 * ((day + 1) % 7 == days_ahead % 7) + random.normal(0, 0.5, 56)
    bound = upper_bound(peaks)
    assert bound is not None
    assert 79.5 < bound < 82.5


@needs_statsmodels
def test_a_steeper_rise_has_a_higher_bound() -> None:
    bounds = [upper_bound(series(42, slope=slope)) for slope in (0.0, 0.5, 1.0, 2.0)]
    assert all(bound is not None for bound in bounds)
    assert (np.diff(np.array(bounds, dtype=float)) > 10).all()


@needs_statsmodels
def test_more_confidence_is_a_higher_bound() -> None:
    peaks = series(42, slope=0.5)
    half, usual, sure = (upper_bound(peaks, confidence) for confidence in (0.5, 0.95, 0.999))
    assert half is not None and usual is not None and sure is not None
    assert half < usual == upper_bound(peaks) < sure


@pytest.mark.parametrize("days", [0, 1, MIN_DAYS - 1])
def test_less_than_three_weeks_say_nothing(days: int) -> None:
    assert upper_bound(np.full(days, 40.0)) is None


def test_days_without_samples_do_not_count_as_days() -> None:
    peaks = series(60)
    peaks[MIN_DAYS - 1 :] = np.nan
    assert upper_bound(peaks) is None
    assert upper_bound(np.full(90, np.nan)) is None


@needs_statsmodels
def test_three_weeks_are_enough() -> None:
    bound = upper_bound(series(MIN_DAYS))
    assert bound is not None
    assert 30 < bound < 100


@needs_statsmodels
def test_days_without_samples_are_tolerated() -> None:
    peaks = series(42, slope=1.0)
    whole = upper_bound(peaks)
    peaks[[3, 10, 11, 25, 30]] = np.nan
    gappy = upper_bound(peaks)
    assert whole is not None and gappy is not None
    assert gappy == pytest.approx(whole, rel=0.1)


@needs_statsmodels
@pytest.mark.parametrize("level", [0.0, 40.0])
def test_what_never_changes_stays_where_it_is(level: float) -> None:
    bound = upper_bound(np.full(42, level))
    assert bound is not None
    assert bound == pytest.approx(level, abs=0.5)


@needs_statsmodels
def test_the_same_days_give_the_same_bound() -> None:
    assert upper_bound(series(42)) == upper_bound(series(42))


@needs_statsmodels
def test_the_days_that_were_given_stay_as_they_are() -> None:
    peaks = series(42)
    before = peaks.copy()
    upper_bound(peaks)
    assert np.array_equal(peaks, before)


def test_statsmodels_is_imported_by_nobody_who_does_not_forecast() -> None:
    code = (
        "import sys; from dagster_project.forecasting import structural; import dagster_project.pipeline.verdicts; "
        "structural.is_available(); structural.upper_bound(__import__('numpy').zeros(3)); "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'statsmodels'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structural, "find_spec", lambda name: None)
    assert not structural.is_available()
