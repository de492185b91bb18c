"""What the page of a backtest is rendered from: frozen values, already computed, in reading order.

Shares are percent (0..100), None where there was nothing to have a share of. An interval is (low, high) of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class RuleScore:
    """One rule on all windows. ``is_own`` is Nightshift's own line; ``native`` the target that the tool itself has in mind."""

    rule: str
    title: str
    is_own: bool
    native: str
    down: int
    up: int
    blind: int
    saved_usd: float
    captured_pct: float | None
    captured_interval: Interval
    starved: int
    starved_pct: float | None
    starved_interval: Interval
    group_weeks_starved_pct: float | None
    touched_pct: float | None
    memory_touched_pct: float | None
    flips_pct: float | None


@dataclass(frozen=True)
class Variant:
    """One setting of Nightshift's rules: a guard taken away (ablation) or a threshold moved (frontier)."""

    name: str
    note: str
    down: int
    captured_pct: float | None
    starved: int
    starved_pct: float | None
    touched_pct: float | None
    memory_touched_pct: float | None
    flips_pct: float | None


@dataclass(frozen=True)
class Slice:
    """One rule on a part of the windows: a source, a group of machines held out, a stretch of time."""

    part: str
    rule: str
    windows: int
    down: int
    captured_pct: float | None
    starved: int
    starved_pct: float | None
    touched_pct: float | None


@dataclass(frozen=True)
class ReasonLine:
    """How often a verdict was reached for a reason."""

    reason_code: str
    title: str
    windows: int


@dataclass(frozen=True)
class CountLine:
    """Something that was read, or set aside with its reason."""

    label: str
    rows: int


@dataclass(frozen=True)
class BacktestReport:
    """Everything that the page says. ``possible_usd`` is what foresight would have saved, ``cost_usd`` what the fleet cost."""

    target: str
    lookback_days: int
    windows: int
    judged_windows: int
    resources: int
    sources: int
    first_at: str
    last_at: str
    cost_usd: float
    possible_usd: float
    rules: tuple[RuleScore, ...]
    frontier: tuple[Variant, ...]
    ablation: tuple[Variant, ...]
    slices: tuple[Slice, ...]
    reasons: tuple[ReasonLine, ...]
    counts: tuple[CountLine, ...]
    thresholds: tuple[tuple[str, str], ...]
    version: str
