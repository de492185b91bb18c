"""What the curve of action items that are not done yet says, in words."""

from __future__ import annotations

from dagster_project.reporting.action_item_views import Curve
from dagster_project.reporting.words import percent

_MOST_TICKS = 6


def curve_title(curve: Curve) -> str:
    """The chart in one line."""
    if curve.median_days is None:
        left = percent(100 * (curve.steps[-1][1] if curve.steps else 1.0))
        return f"Fewer than half of the action items get done: {left} are left after {_days(curve.days)}"
    return f"Half of the action items are done within {_days(curve.median_days)}"


def curve_description(curve: Curve) -> str:
    """The chart in sentences, for readers who do not see it."""
    marks = [days for days in _ticks(curve.days) if days]
    told = "; ".join(f"after {_days(days)} {percent(100 * _left(curve, days))}" for days in marks)
    return f"Share that is not done yet, of {curve.items:,} items of which {curve.done:,} are done: {told}."


def _ticks(days: int) -> list[int]:
    """Whole steps of days up to the last one, few enough to be read."""
    days = max(days, 1)
    step = next(each for each in (1, 2, 7, 14, 28, 56, 91, 182, 364, 728, 3640, 10**6) if days / each <= _MOST_TICKS)
    # A last one that is too near to the end would be printed over it.
    marks = [tick for tick in range(0, days, step) if days - tick >= step / 2]
    return [*marks, days]


def _left(curve: Curve, days: int) -> float:
    return next((share for age, share in reversed(curve.steps) if age <= days), 1.0)


def _days(days: float) -> str:
    shown = f"{days:.0f}" if days >= 10 else f"{days:.1f}".removesuffix(".0")
    return f"{shown} {'day' if shown == '1' else 'days'}"
