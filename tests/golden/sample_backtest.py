"""Two backtests to render: an ordinary one and one in which nothing happened. Values only, the same at every call."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.reporting.backtest_views import (
    BacktestReport,
    CountLine,
    ReasonLine,
    RuleScore,
    Slice,
    Variant,
)
from tests.golden.sample_report import HOSTILE_NAMES

OWN = RuleScore(
    rule="nightshift", title="Nightshift", is_own=True, native="cheapest", down=1204, up=0, blind=0, saved_usd=18_412.4,
    captured_pct=61.24, captured_interval=(56.1, 66.0), starved=3, starved_pct=0.249, starved_interval=(0.0, 0.61),
    group_weeks_starved_pct=0.31, touched_pct=2.08, memory_touched_pct=0.17, flips_pct=3.9,
)  # fmt: skip
OPTIMIZER = RuleScore(
    rule="aws-compute-optimizer", title="14 days: CPU P99.5 and memory maximum within 80 %",
    is_own=False, native="family", down=1980, up=41, blind=212,
    saved_usd=24_903.0, captured_pct=58.3, captured_interval=(51.9, 63.2), starved=83, starved_pct=4.19,
    starved_interval=(2.9, 5.8), group_weeks_starved_pct=5.02, touched_pct=17.4, memory_touched_pct=3.03, flips_pct=11.2,
)  # fmt: skip
KUBECOST = RuleScore(
    rule="kubecost-28d", title="28-day maximum of CPU and memory ÷ 0.7",
    is_own=False, native="cheapest", down=2210, up=0, blind=240,
    saved_usd=30_118.7, captured_pct=60.9, captured_interval=(54.0, 66.7), starved=102, starved_pct=4.62,
    starved_interval=(3.3, 6.2), group_weeks_starved_pct=5.6, touched_pct=19.9, memory_touched_pct=3.4, flips_pct=9.7,
)  # fmt: skip
PERSISTENCE = RuleScore(
    rule="persistence-28d", title="The limits of perfect foresight, on the last 28 days",
    is_own=False, native="cheapest", down=1611, up=12, blind=0,
    saved_usd=21_500.1, captured_pct=63.8, captured_interval=(58.2, 68.9), starved=27, starved_pct=1.676,
    starved_interval=(0.9, 2.7), group_weeks_starved_pct=2.2, touched_pct=8.6, memory_touched_pct=1.4, flips_pct=14.5,
)  # fmt: skip
FLEXERA = RuleScore(
    rule="flexera-cross-family", title="28 days: mean CPU and memory, across families",
    is_own=False, native="cheapest", down=2604, up=0, blind=388,
    saved_usd=36_040.0, captured_pct=44.1, captured_interval=(37.5, 50.4), starved=511, starved_pct=19.62,
    starved_interval=(15.8, 23.9), group_weeks_starved_pct=22.4, touched_pct=48.8, memory_touched_pct=9.1, flips_pct=7.3,
)  # fmt: skip
IDLE = RuleScore(
    rule="idle-only", title="Idle machines only",
    is_own=False, native="one-step", down=18, up=0, blind=2, saved_usd=190.0,
    captured_pct=1.12, captured_interval=None, starved=0, starved_pct=0.0, starved_interval=None,
    group_weeks_starved_pct=0.0, touched_pct=0.0, memory_touched_pct=0.0, flips_pct=0.4,
)  # fmt: skip
AVERAGES = RuleScore(
    rule="average-30", title="30-day mean CPU < 30 %",
    is_own=False, native="one-step", down=2390, up=77, blind=301,
    saved_usd=22_071.9, captured_pct=41.7, captured_interval=(36.0, 47.2), starved=320, starved_pct=13.39,
    starved_interval=(10.1, 17.0), group_weeks_starved_pct=15.0, touched_pct=37.5, memory_touched_pct=8.0, flips_pct=6.1,
)  # fmt: skip
NOTHING = RuleScore(
    rule="keep", title="Keep everything", is_own=False, native="", down=0, up=0, blind=0, saved_usd=0.0, captured_pct=0.0,
    captured_interval=(0.0, 0.0), starved=0, starved_pct=None, starved_interval=None, group_weeks_starved_pct=None,
    touched_pct=None, memory_touched_pct=None, flips_pct=0.0,
)  # fmt: skip

BACKTEST = BacktestReport(
    target="cheapest",
    lookback_days=28,
    windows=4120,
    judged_windows=4012,
    resources=1030,
    sources=3,
    first_at="2013-08-19",
    last_at="2013-09-09",
    cost_usd=96_310.25,
    possible_usd=30_066.0,
    rules=(OWN, OPTIMIZER, KUBECOST, PERSISTENCE, FLEXERA, IDLE, AVERAGES, NOTHING),
    frontier=(
        Variant("demand × 0.8", "all demand taken to be a fifth lower", 1590, 66.9, 22, 1.384, 6.9, 0.9, 4.4),
        Variant("demand × 1", "the rule as it ships", 1204, 61.24, 3, 0.249, 2.08, 0.17, 3.9),
        Variant("demand × 1.3", "all demand taken to be three tenths higher", 902, 49.3, 1, 0.111, 0.78, 0.11, 3.0),
        Variant("demand × 2", "all demand taken to be twice as high", 410, 37.2, 0, 0.0, 0.24, 0.0, 1.9),
    ),
    ablation=(
        Variant("all guards", "the rule as it ships", 1204, 61.24, 3, 0.249, 2.08, 0.17, 3.9),
        Variant("no emergency veto", "emergency scale-ups do not refuse", 1377, 64.6, 12, 0.871, 3.9, 0.5, 4.6),
        Variant("no CPU peak", "P99.5 alone decides on CPU", 1502, 68.0, 29, 1.93, 21.6, 0.2, 5.1),
        Variant("no coverage gate", "too few samples do not matter", 1240, 61.7, 4, 0.32, 2.3, 0.2, 4.0),
    ),
    slices=(
        Slice("source bitbrains", "nightshift", 1840, 702, 70.4, 1, 0.142, 1.4, ),
        Slice("source bitbrains", "aws-compute-optimizer", 1840, 990, 65.0, 40, 4.04, 16.1),
        Slice("services, part 1 of 5", "nightshift", 802, 0, None, 0, None, None),
    ),
    reasons=(
        ReasonLine("keep_busy_cpu", "CPU in use", 1811),
        ReasonLine("propose_smaller_size", "Safe to shrink", 1204),
        ReasonLine("refuse_recent_emergency_scaleup", "Scaled up in an emergency recently", 980),
        ReasonLine("insufficient_memory_data", "Memory not measured", 124),
        ReasonLine("insufficient_catalog", "Type not in the catalog", 1),
    ),
    counts=(
        CountLine("samples read", 11_204_331),
        CountLine("samples of machines that were off: gaps, not idleness", 20_114),
        CountLine("samples rejected: a percentage above 1000", 17),
        CountLine("windows that cannot be judged: no known type, or no price in the region", 108),
    ),
    thresholds=(("max_cpu_p995_pct", "80"), ("max_memory_peak_pct", "90"), ("emergency_veto_days", "28")),
    version="0.1.0",
)  # fmt: skip

BARE = replace(
    BACKTEST,
    judged_windows=0, cost_usd=0.0, possible_usd=0.0, frontier=(), ablation=(), slices=(), reasons=(), counts=(), thresholds=(),
    rules=(
        replace(NOTHING, rule="nightshift", title="Nightshift", is_own=True, captured_pct=None, captured_interval=None),
        NOTHING,
    ),
)  # fmt: skip


def hostile() -> BacktestReport:
    """Every text of the report is one of ``HOSTILE_NAMES``."""
    name = HOSTILE_NAMES[0]
    return replace(
        BACKTEST,
        target=name, first_at=name, last_at=name, version=name,
        rules=tuple(replace(PERSISTENCE, rule=n, title=n, native=n, is_own=n == name) for n in HOSTILE_NAMES),
        frontier=tuple(replace(BACKTEST.frontier[0], name=n, note=n) for n in HOSTILE_NAMES),
        ablation=tuple(replace(BACKTEST.ablation[0], name=n, note=n) for n in HOSTILE_NAMES),
        slices=tuple(replace(BACKTEST.slices[0], part=n, rule=n) for n in HOSTILE_NAMES),
        reasons=tuple(ReasonLine(n, n, 1) for n in HOSTILE_NAMES),
        counts=tuple(CountLine(n, 1) for n in HOSTILE_NAMES),
        thresholds=tuple((n, n) for n in HOSTILE_NAMES),
    )  # fmt: skip
