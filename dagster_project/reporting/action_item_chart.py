"""The curve of action items that are not done yet, by their age."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from dagster_project.reporting.action_item_views import Curve
from dagster_project.reporting.charts import ACCENT, INK, LINE, percent, svg, text

_TOP, _HEIGHT, _WHOLE = 24, 150, 200
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


def survival_chart(curve: Curve) -> Markup:
    """Steps from all to what is left; where half are done, a dashed line."""
    days = max(curve.days, 1)
    path, before = ["M0 0"], 0.0
    for age, share in curve.steps:
        path.append(f"H{min(age, days)}V{100 * (1 - share):.2f}")
        before = 100 * (1 - share)
    path.append(f"H{days}")
    area = f'<path d="{"".join(path)}V100H0Z" style="fill:{ACCENT};fill-opacity:.16;stroke:none"/>'
    line = f'<path d="{"".join(path)}" style="stroke:{ACCENT};stroke-width:1.5" vector-effect="non-scaling-stroke"/>'
    levels = "".join(
        f'<path d="M0 {level}H{days}" style="stroke:{LINE};stroke-width:1" vector-effect="non-scaling-stroke"/>'
        for level in (0, 50, 100)
    )
    return svg(
        f'<svg class="survival" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{_WHOLE}"'
        ' style="font:12px system-ui,sans-serif">'
        f"<title>{escape(curve_title(curve))}</title><desc>{escape(curve_description(curve))}</desc>"
        f'<svg x="0" y="{_TOP}" width="100%" height="{_HEIGHT}" viewBox="0 0 {days} 100" preserveAspectRatio="none"'
        f' style="fill:none;overflow:visible">{levels}{area}{line}{_median(curve, days)}</svg>'
        f"{''.join(_labels(curve, days, before))}</svg>"
    )


def _median(curve: Curve, days: int) -> str:
    if curve.median_days is None or curve.median_days > days:
        return ""
    style = f"stroke:{INK};stroke-width:1.5;stroke-dasharray:5 4"
    return f'<path d="M{curve.median_days:.2f} 0V100" style="{style}" vector-effect="non-scaling-stroke"/>'


def _labels(curve: Curve, days: int, left: float) -> Iterator[str]:
    yield text("100%", x="0", y=_TOP - 6)
    yield text("50%", x="0", y=_TOP + _HEIGHT / 2 - 4)
    ticks = _ticks(days)
    for number, tick in enumerate(ticks):
        anchor = "start" if number == 0 else "end" if tick == days else "middle"
        yield text(_days(tick), x=f"{100 * tick / days:.2f}%", y=_WHOLE - 8, anchor=anchor)
    if curve.median_days is not None and curve.median_days <= days:
        # Beside the dashed line and above the axis, where the curve has left room.
        is_left = curve.median_days < days / 2
        label = f"half done after {_days(curve.median_days)}"
        x, anchor = f"{100 * curve.median_days / days + (1 if is_left else -1):.2f}%", "start" if is_left else "end"
        yield text(label, x=x, y=_TOP + _HEIGHT - 8, anchor=anchor, colour=INK, weight=600)
    yield text(f"{percent(100 - left)} left", x="100%", y=_TOP + _HEIGHT * left / 100 - 6, anchor="end")


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
