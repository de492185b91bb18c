"""What a backtest says: scores with intervals, what each guard costs and buys, the frontier, and the files that hold it all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project import __version__
from dagster_project.catalog.shapes import SHIPPED
from dagster_project.domain.backtest.intervals import captured, group_interval, nothing_seen, of_downsizes
from dagster_project.domain.backtest.peers import Peer
from dagster_project.domain.backtest.score import score
from dagster_project.domain.backtest.series import DAY
from dagster_project.domain.reasons import REASONS, sentence
from dagster_project.domain.rightsizing.dimensions import DISK, IOPS, NETWORK
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.fit import HOURS_PER_MONTH
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.verdict import Verdict
from dagster_project.errors import InputError
from dagster_project.lake.partitions import replace_file
from dagster_project.pipeline import exports
from dagster_project.pipeline.backtest import NIGHTSHIFT, Inputs, Trial, marked, verdicts_of
from dagster_project.progress import Progress
from dagster_project.reporting.backtest_page import (
    render_backtest_html,
    render_backtest_markdown,
    render_backtest_svg,
)
from dagster_project.reporting.backtest_views import (
    BacktestReport,
    CountLine,
    ReasonLine,
    RuleScore,
    Slice,
    Variant,
)

_FOLDS = 5


@dataclass(frozen=True)
class _Change:
    """A variant of the rules: thresholds that differ, and evidence that is seen differently."""

    name: str
    note: str
    thresholds: Mapping[str, Any]
    seen: Callable[[Evidence], Evidence] = lambda evidence: evidence


def _blank(**columns: Any) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, **columns)


def _without_volumes(evidence: Evidence) -> Evidence:
    judged = evidence.is_judged.copy()
    judged[:, [NETWORK, DISK, IOPS]] = False
    return replace(evidence, is_judged=judged)


_NO_POOL = 10**9
_ABLATION = (
    _Change("all guards", "the rule as it ships", {}),
    _Change("no emergency veto", "emergency scale-ups of the last weeks do not refuse", {}, _blank(emergencies=None)),
    _Change("no incident replay", "past emergencies ask for no capacity", {}, _blank(replay=None)),
    _Change("no history at all", "neither veto nor replay", {}, _blank(emergencies=None, replay=None)),
    _Change("no memory record", "the highest memory is forgotten after the look-back", {}, _blank(memory_ever=None)),
    _Change(
        "no floor under idle pools",
        "identical idle machines shrink like any other",
        {"idle_pool_members": _NO_POOL, "never_used_pool_members": _NO_POOL},
    ),
    _Change("no rule for one vCPU", "a size with one vCPU may be full", {"max_single_vcpu_peak_pct": 100.0}),
    _Change("no CPU peak", "P99.5 alone decides on CPU", {"max_cpu_peak_pct": 1e6, "max_single_vcpu_peak_pct": 1e6}),
    _Change("no network and disk", "their baselines are not looked at", {}, _without_volumes),
    _Change("no coverage gate", "too few samples do not matter", {"min_coverage_pct": 0.0, "min_recent_coverage_pct": 0.0}),
    _Change("memory head-room 1.5", "memory peak within 67 %", {"max_memory_peak_pct": 100 / 1.5}),
    _Change("CPU head-room 1.25", "CPU peak within 80 %", {"max_cpu_peak_pct": 80.0, "max_single_vcpu_peak_pct": 80.0}),
    _Change(
        "with economics",
        "as a night runs: least savings, incident and restart cost",
        {"min_savings_usd_month": 5.0, "incident_cost_usd": 25.0, "restart_cost_usd": 12.0},
    ),
)

_HEADROOMS = (0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 2.0)


def _with_headroom(factor: float) -> _Change:
    """Every limit on CPU, memory, network and disk tightened (above 1) or loosened (below 1) by one factor."""

    def scaled(evidence: Evidence) -> Evidence:
        return replace(
            evidence,
            peak=evidence.peak * factor,
            cpu_p995=evidence.cpu_p995 * factor,
            memory_ever=evidence.memory_ever * factor,
            replay=evidence.replay * factor,
        )

    percent = abs(factor - 1) * 100
    note = "as it was measured" if factor == 1 else f"taken to be {percent:.0f} % {'higher' if factor > 1 else 'lower'}"
    return _Change(f"demand × {factor:g}", note, {}, scaled)


def build(trial: Trial, inputs: Inputs, rules: Rules, peers: Sequence[Peer], progress: Progress) -> BacktestReport:
    """Scores of all rules, variants and parts."""
    own = RuleLike(NIGHTSHIFT, "Nightshift", trial.target)
    lines = [own, *(RuleLike(peer.id, peer.title, peer.native) for peer in peers)]
    changes = [*_ABLATION, *(_with_headroom(factor) for factor in _HEADROOMS)]
    variants = []
    for number, change in enumerate(changes):
        variants.append(_variant(trial, replace(rules, **change.thresholds), change))
        progress.update("Trying variants", number + 1, len(changes))
    moments = [one.moment for one in trial.seen]
    marks = trial.marks[NIGHTSHIFT]
    return BacktestReport(
        target=trial.target,
        lookback_days=inputs.lookback_days,
        windows=len(trial.seen),
        judged_windows=len(trial.windows),
        resources=len({one.resource.resource_id for one in trial.seen}),
        sources=len({one.source for one in trial.seen}),
        first_at=_day(min(moments)),
        last_at=_day(max(moments)),
        cost_usd=float(marks.cost.sum()),
        possible_usd=float(marks.possible.sum()),
        rules=tuple(_line(trial, line) for line in lines),
        frontier=tuple(variants[len(_ABLATION) :]),
        ablation=tuple(variants[: len(_ABLATION)]),
        slices=_slices(trial, peers),
        reasons=_reasons(trial.verdicts),
        counts=_counts(trial),
        thresholds=tuple((name, f"{getattr(rules, name):g}") for name in _SHOWN),
        version=__version__,
    )


_SHOWN = (
    "max_cpu_p995_pct", "max_cpu_peak_pct", "max_single_vcpu_peak_pct", "max_memory_peak_pct", "idle_peak_pct",
    "idle_pool_members", "never_used_peak_pct", "never_used_pool_members", "idle_floor_pct", "emergency_veto_days",
    "min_history_hours", "min_coverage_pct", "min_recent_coverage_pct",
)  # fmt: skip


@dataclass(frozen=True)
class RuleLike:
    """A rule as the tables name it."""

    rule: str
    title: str
    native: str


def _line(trial: Trial, line: RuleLike) -> RuleScore:
    marks = trial.marks[line.rule]
    total = score(trial.windows, trial.chosen[line.rule], marks)
    captured_interval, starved_interval = group_interval(
        trial.windows.group, [captured(marks), of_downsizes(marks, marks.is_starved)]
    )
    return RuleScore(
        rule=line.rule,
        title=line.title,
        is_own=line.rule == NIGHTSHIFT,
        native=line.native,
        down=total.down,
        up=total.up,
        blind=total.blind,
        saved_usd=total.saved_usd,
        captured_pct=total.captured_pct,
        captured_interval=captured_interval,
        starved=total.starved,
        starved_pct=total.starved_pct,
        starved_interval=starved_interval if total.starved else nothing_seen(total.group_weeks),
        group_weeks_starved_pct=total.group_weeks_starved_pct,
        touched_pct=total.touched_pct,
        memory_touched_pct=total.memory_touched_pct,
        flips_pct=total.flips_pct,
    )


def _variant(trial: Trial, rules: Rules, change: _Change) -> Variant:
    chosen, marks = marked(trial, verdicts_of(trial.seen, rules, change.seen))
    total = score(trial.windows, chosen, marks)
    return Variant(
        name=change.name,
        note=change.note,
        down=total.down,
        captured_pct=total.captured_pct,
        starved=total.starved,
        starved_pct=total.starved_pct,
        touched_pct=total.touched_pct,
        memory_touched_pct=total.memory_touched_pct,
        flips_pct=total.flips_pct,
    )


_COMPARED = ("aws-compute-optimizer", "kubecost-28d", "persistence-28d", "flexera-cross-family")


def _slices(trial: Trial, peers: Sequence[Peer]) -> tuple[Slice, ...]:
    """Parts of the windows: each source, five parts of the services, the first and the second half of the time."""
    windows = trial.windows
    rules = [NIGHTSHIFT, *(peer.id for peer in peers if peer.id in _COMPARED)]
    parts: list[tuple[str, NDArray[np.int64]]] = []
    sources = sorted(set(windows.source))
    if len(sources) > 1:
        parts += [(f"source {name or 'unnamed'}", _where(windows.source, {name})) for name in sources]
    groups = sorted(set(windows.group))
    if len(groups) >= _FOLDS:
        for fold in range(_FOLDS):
            parts.append((f"services, part {fold + 1} of {_FOLDS}", _where(windows.group, set(groups[fold::_FOLDS]))))
    middle = float(np.median(windows.moment))
    if len(set(windows.moment.tolist())) > 1:
        parts.append((f"before {_day(int(middle))}", np.flatnonzero(windows.moment < middle)))
        parts.append((f"from {_day(int(middle))}", np.flatnonzero(windows.moment >= middle)))
    found = []
    for name, rows in parts:
        for rule in rules:
            total = score(windows, trial.chosen[rule], trial.marks[rule], rows)
            found.append(
                Slice(
                    name, rule, total.windows, total.down, total.captured_pct, total.starved, total.starved_pct, total.touched_pct
                )
            )
    return tuple(found)


def _where(values: Sequence[str], wanted: set[str]) -> NDArray[np.int64]:
    return np.array([i for i, value in enumerate(values) if value in wanted], dtype=np.int64)


def _reasons(verdicts: Sequence[Verdict]) -> tuple[ReasonLine, ...]:
    counted = Counter(verdict.code for verdict in verdicts)
    return tuple(
        ReasonLine(code, REASONS[code].title, rows)
        for code, rows in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _counts(trial: Trial) -> tuple[CountLine, ...]:
    counts = trial.counts
    lines = [
        ("samples read", counts.samples),
        ("samples of machines that were off: gaps, not idleness", counts.off),
        *((f"samples rejected: {reason}", rows) for reason, rows in sorted(counts.rejected.items())),
        ("decisions read", counts.decisions),
        *((f"decisions that do not count: {reason}", rows) for reason, rows in sorted(counts.decisions_set_aside.items())),
        ("resources without any sample", counts.resources_without_samples),
        ("windows that cannot be judged: no known type, or no price in the region", len(trial.seen) - len(trial.windows)),
    ]
    return tuple(CountLine(label, rows) for label, rows in lines if rows or label.endswith("read"))


def answers(trial: Trial, rule: str) -> pl.DataFrame:
    """One row per window, as ``--out`` wants them, of Nightshift's rule or a peer's."""
    rows = [_own_row(trial, i) for i in range(len(trial.seen))] if rule == NIGHTSHIFT else _peer_rows(trial, rule)
    return pl.DataFrame(rows, schema=_OUT, orient="row").sort("resource_id", "decide_at")


_OUT = {
    "resource_id": pl.String(),
    "decide_at": pl.Datetime("us", "UTC"),
    "verdict": pl.String(),
    "reason_code": pl.String(),
    "current_type": pl.String(),
    "target_type": pl.String(),
    "savings_usd_month": pl.Float64(),
    "evidence": pl.String(),
}
_NAMES = ("cpu_vcpu", "memory_gib", "network_gbps", "disk_mbps", "disk_iops")


def _own_row(trial: Trial, i: int) -> dict[str, Any]:
    one, verdict = trial.seen[i], trial.verdicts[i]
    summary = one.summary
    evidence = {
        "sentence": sentence(verdict.code, verdict.value, verdict.limit, verdict.text),
        "value": _rounded(verdict.value),
        "limit": _rounded(verdict.limit),
        "candidate_type": verdict.candidate,
        "peak": {name: _rounded(value) for name, value in zip(_NAMES, summary.peak, strict=True)},
        "cpu_p995_vcpu": _rounded(summary.cpu_p995),
        "memory_record_gib": _rounded(summary.memory_ever),
        "required": {name: _rounded(value) for name, value in zip(_NAMES, verdict.demand, strict=True)},
        "required_by": dict(zip(_NAMES, verdict.asked_by, strict=True)),
        "history_hours": _rounded(summary.history_hours),
        "coverage_pct": _rounded(summary.coverage_pct),
        "recent_coverage_pct": _rounded(summary.recent_coverage_pct),
        "emergencies": summary.emergencies,
        "replay": {name: _rounded(value) for name, value in zip(_NAMES, summary.replay, strict=True)},
        "closest_event": verdict.closest_event,
        "idle_pool": verdict.idle_pool,
        "exceedance_probability_week": _rounded(verdict.exceedance),
    }
    return {
        "resource_id": one.resource.resource_id,
        "decide_at": datetime.fromtimestamp(one.moment, tz=UTC),
        "verdict": verdict.verdict,
        "reason_code": verdict.code,
        "current_type": one.resource.instance_type,
        "target_type": verdict.target,
        "savings_usd_month": round(verdict.savings_usd_month, 6),
        "evidence": json.dumps(evidence, sort_keys=True),
    }


def _peer_rows(trial: Trial, rule: str) -> list[dict[str, Any]]:
    place = {int(number): i for i, number in enumerate(trial.judged)}
    rows = []
    for number, one in enumerate(trial.seen):
        shapes = SHIPPED.ec2_shapes(one.resource.region)
        present = shapes.number_of(one.resource.instance_type)
        target = int(trial.chosen[rule][place[number]]) if number in place else present
        changes = target != present
        price = shapes.usd_per_hour
        need = one.needs.get(rule)
        rows.append(
            {
                "resource_id": one.resource.resource_id,
                "decide_at": datetime.fromtimestamp(one.moment, tz=UTC),
                "verdict": "propose" if changes else "keep" if number in place else "insufficient",
                "reason_code": "rule_proposes" if changes else "rule_keeps" if number in place else "insufficient_catalog",
                "current_type": one.resource.instance_type,
                "target_type": shapes.names[target] if changes else None,
                "savings_usd_month": round(float(price[present] - price[target]) * HOURS_PER_MONTH, 6) if changes else 0.0,
                "evidence": json.dumps(
                    {"rule": rule, "need": None if need is None else {n: _rounded(v) for n, v in zip(_NAMES, need, strict=True)}},
                    sort_keys=True,
                ),
            }
        )
    return rows


@dataclass(frozen=True)
class Written:
    """The files of a backtest, side by side."""

    answers: Path
    report: Path
    page: Path
    chart: Path
    tables: Path


def write(trial: Trial, report: BacktestReport, rule: str, out: Path) -> Written:
    """Puts all files in place: the answers at ``out``, the rest beside it under the same name."""
    files = Written(out, *(out.with_suffix(ending) for ending in (".json", ".html", ".svg", ".md")))
    table = BytesIO()
    answers(trial, rule).write_parquet(table, compression="zstd")
    # All of them are made before the first is put in place, and the answers come last: where they are, all is.
    contents = {
        files.report: (json.dumps(asdict(report), indent=1, sort_keys=True) + "\n").encode(),
        files.page: render_backtest_html(report).encode(),
        files.chart: render_backtest_svg(report).encode(),
        files.tables: render_backtest_markdown(report).encode(),
        files.answers: table.getvalue(),
    }
    for file, content in contents.items():
        replace_file(file, content)
    return files


def require_place(out: Path, inputs: Inputs) -> None:
    """Raises ``InputError`` where the answers could not be put at ``out``, before any work is done for them."""
    if out.suffix != ".parquet":
        raise InputError(f"{out} must end in .parquet: the answers go there, and the report beside it with other endings.")
    if out.is_dir():
        raise InputError(f"{out} is a folder; name a file for the answers.")
    read = [inputs.resources, inputs.decisions, inputs.windows, *exports.files(inputs.utilization)]
    if any(file is not None and file.exists() and out.exists() and out.samefile(file) for file in read):
        raise InputError(f"{out} is one of the files that the backtest reads; name another one for the answers.")
    folder = next(folder for folder in (out.parent, *out.parent.parents) if folder.exists())
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"Cannot write to {folder} ({error.strerror or error}); make it writable for this user, or name another place "
            "with --out."
        ) from None


def _rounded(value: float | None) -> float | None:
    return round(float(value), 6) if value is not None and np.isfinite(value) else None


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds // DAY * DAY, tz=UTC).date().isoformat()
