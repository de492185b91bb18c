"""What a summary of incident metrics says in words: no change is claimed that the interval does not show."""

from __future__ import annotations

import math

from dagster_project.domain.incidents.statistics import Change, Described

Sizes = tuple[int, int]
"""Incidents that have ended, and those that are open."""


def summary_sentence(
    sizes: Sizes,
    now: Described | None,
    previous: Sizes | None,
    before: Described | None,
    changed: Change | None,
    cut_pct: float | None,
) -> str:
    """One or two sentences. ``now`` and ``before`` are None where there are too few to describe; without ``previous`` nothing is
    compared. ``cut_pct`` is the smallest detectable cut."""
    if now is None:
        return f"Too few to say anything (n = {_n(sizes)})."
    if now.median is None:
        return f"The median is not known: too many are still open (n = {_n(sizes)})."
    described = f"edian {_minutes(now.median)} min"
    interval = f"95 % interval {_interval(now)}"
    if previous is None:
        return f"M{described} ({interval}; n = {_n(sizes)})."
    if before is None or changed is None:
        lacking = f"The period before has too few to compare with (n = {_n(previous)})"
        return f"M{described} ({interval}; n = {_n(sizes)}). {lacking}; between two periods like this one, {_cut(cut_pct, 'be')}."
    if changed.is_shorter or changed.is_longer:
        figures = f"{_figures(now, sizes)} after {_figures(before, previous)}"
        return f"The median is {_size(changed)}: {figures}."
    return f"No change shown (m{described}, {interval}; n = {_n(sizes)} and {_n(previous)}); {_cut(cut_pct, 'have been')}."


def _n(sizes: Sizes) -> str:
    ended, running = sizes
    return f"{ended + running:,} with {running:,} open" if running else f"{ended:,}"


def _minutes(value: float) -> str:
    """Whole minutes; below ten, where a tenth matters, with one."""
    text = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
    return text.removesuffix(".0")


def _interval(described: Described) -> str:
    if described.low is None:
        return "unknown"
    return f"{_minutes(described.low)} {'or more' if described.high is None else f'to {_minutes(described.high)}'}"


def _figures(described: Described, sizes: Sizes) -> str:
    if described.median is None:
        return f"one that is not known, so many are open (n = {_n(sizes)})"
    return f"{_minutes(described.median)} min ({_interval(described)}; n = {_n(sizes)})"


def _size(changed: Change) -> str:
    word = "shorter" if changed.is_shorter else "longer"
    least, most = (changed.high_pct, changed.low_pct) if changed.is_shorter else (changed.low_pct, changed.high_pct)
    interval = f"95 % interval {abs(least or 0):.0f} " + ("% or more" if most is None else f"to {abs(most):.0f} %")
    return f"{word} ({interval})" if changed.pct is None else f"{abs(changed.pct):.0f} % {word} ({interval})"


def _cut(cut_pct: float | None, tense: str) -> str:
    """Rounded up: a smaller cut than the one that is named might have been missed."""
    if cut_pct is None:
        return f"which cut would {tense} seen is not known"
    whole = math.ceil(cut_pct)
    return f"a cut of {whole} % or more would {tense} seen" if whole < 100 else f"no cut would reliably {tense} seen"
