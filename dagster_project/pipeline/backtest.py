"""``nightshift backtest``: the rules on recorded history, judged by what the following days showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.domain.backtest.collect import Machine, judged_windows, weekly_moments
from dagster_project.domain.backtest.peers import Peer, Present, choose, needs
from dagster_project.domain.backtest.score import Marks, Windows, mark
from dagster_project.domain.backtest.series import Series
from dagster_project.domain.backtest.summary import Summary, summarize
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, MEMORY
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict, decide
from dagster_project.errors import InputError
from dagster_project.pipeline import exports
from dagster_project.pipeline.backtest_traces import Counts, Decided, Listed, decided, listed, traces
from dagster_project.progress import Progress

NIGHTSHIFT = "nightshift"


@dataclass(frozen=True)
class Inputs:
    """The files of a backtest, and how far back a rule may look."""

    utilization: str
    resources: Path
    decisions: Path
    windows: Path | None
    lookback_days: int = 28


@dataclass(frozen=True)
class Seen:
    """What was known of one resource at one moment, and what the peers asked for then."""

    resource: Listed
    source: str
    moment: int
    series: Series
    summary: Summary
    needs: Mapping[str, NDArray[np.float64] | None]


@dataclass(frozen=True)
class Trial:
    """Every window with what was decided in it.

    ``seen`` and ``verdicts`` have one entry per window, in order of resource and time. ``windows``, ``chosen`` and ``marks``
    are about those that can be judged; ``judged`` holds their numbers in ``seen``. ``chosen`` holds the size that each rule
    chose by its number in the catalog (the present one = keep), ``marks`` what became of it.
    """

    windows: Windows
    judged: NDArray[np.int64]
    target: str
    seen: Sequence[Seen]
    verdicts: Sequence[Verdict]
    chosen: Mapping[str, NDArray[np.int64]]
    marks: Mapping[str, Marks]
    counts: Counts


def collect(inputs: Inputs, rules: Rules, peers: Sequence[Peer], progress: Progress, counts: Counts) -> list[Seen]:
    """Reads the exports; every window with what was known in it, in order of resource and time.

    Raises ``InputError`` for files that cannot be used, and for windows of resources that are not listed.
    """
    parts = exports.samples(inputs.utilization)
    resources = listed(inputs.resources)
    decisions = decided(inputs.decisions, resources, counts)
    moments = _moments(inputs.windows, resources)
    wanted = [one for one in resources.values() if moments is None or one.resource_id in moments]
    wanted.sort(key=lambda one: one.resource_id)
    seen: list[Seen] = []

    def look(resource: Listed, source: str, series: Series) -> None:
        present = _present(resource)
        for moment in weekly_moments(series) if moments is None else moments[resource.resource_id]:
            history = series.before(moment)
            summary = summarize(history, inputs.lookback_days, rules.emergency_veto_days)
            asked = needs(history, present, peers) if present else [None] * len(peers)
            named = dict(zip((peer.id for peer in peers), asked, strict=True))
            seen.append(Seen(resource, source, moment, series, summary, named))

    for done, (resource, source, series) in enumerate(traces(parts, wanted, decisions, counts)):
        look(resource, source, series)
        progress.update("Reading history", done, len(wanted))
    progress.update("Reading history", len(wanted), len(wanted))
    found = {one.resource.resource_id for one in seen}
    for resource in wanted if moments is not None else ():
        if resource.resource_id not in found:
            # A window is owed a verdict, also where nothing at all was recorded.
            look(resource, "", _empty_series(resource, decisions))
    if not seen:
        raise InputError(
            "There is no window to decide in: no resource of the file has seven days of samples; check that both name the "
            "same resources."
        )
    return sorted(seen, key=lambda one: (one.resource.resource_id, one.moment))


def evidence_of(seen: Sequence[Seen], shapes: Shapes) -> Evidence:
    """The columns that a verdict is made of."""
    services = {name: number for number, name in enumerate(sorted({one.resource.service or "" for one in seen}))}
    summaries = [one.summary for one in seen]

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(one, name) for one in summaries], dtype=np.float64)

    def matrix(name: str) -> NDArray[np.float64]:
        return np.stack([getattr(one, name) for one in summaries])

    return Evidence(
        resource_id=[one.resource.resource_id for one in seen],
        present=np.array([shapes.number_of(one.resource.instance_type) for one in seen], dtype=np.int64),
        present_name=[one.resource.instance_type for one in seen],
        pool=np.array([services[one.resource.service] if one.resource.service else -1 for one in seen], dtype=np.int64),
        peak=matrix("peak"),
        cpu_p995=column("cpu_p995"),
        memory_ever=column("memory_ever"),
        replay=matrix("replay"),
        replay_event=[[_event(one) for _ in DIMENSIONS] for one in summaries],
        history_hours=column("history_hours"),
        coverage_pct=column("coverage_pct"),
        recent_coverage_pct=column("recent_coverage_pct"),
        covered_pct=matrix("covered_pct"),
        is_judged=_judged(seen),
        rejected_readings=column("rejected_readings"),
        emergencies=column("emergencies"),
        last_emergency=[_emergency(one) for one in summaries],
        excluding_tag=[_excluding_tag(one.resource) for one in seen],
        lifecycle=[one.resource.tags.get("lifecycle") for one in seen],
        group_name=[one.resource.group for one in seen],
    )


def _as_it_is(evidence: Evidence) -> Evidence:
    return evidence


def verdicts_of(seen: Sequence[Seen], rules: Rules, change: Callable[[Evidence], Evidence] = _as_it_is) -> list[Verdict]:
    """Nightshift's verdict in every window. Windows of one moment are decided together, as a night does.

    ``change`` lets a variant see the evidence differently.
    """
    found: list[Verdict | None] = [None] * len(seen)
    together: dict[tuple[str, int], list[int]] = {}
    for number, one in enumerate(seen):
        together.setdefault((one.resource.region or "", one.moment), []).append(number)
    for (region, _), numbers in sorted(together.items()):
        shapes = SHIPPED.ec2_shapes(region)
        for number, verdict in zip(
            numbers, decide(change(evidence_of([seen[i] for i in numbers], shapes)), shapes, rules), strict=True
        ):
            found[number] = verdict
    return [verdict for verdict in found if verdict is not None]


def run(inputs: Inputs, rules: Rules, peers: Sequence[Peer], progress: Progress) -> Trial:
    """Decides in every window with every rule, and judges all of them on the week that followed."""
    counts = Counts()
    seen = collect(inputs, rules, peers, progress, counts)
    verdicts = verdicts_of(seen, rules)
    parts = [_judge(region, numbers, seen, verdicts, rules.target, peers) for region, numbers in sorted(_by_region(seen).items())]
    if not parts:
        raise InputError(
            "No window can be judged: none of the resources has an instance type with a price in its region; check "
            "instance_type and region of the resources file."
        )
    progress.update("Judging rules", 1, 1)
    return Trial(
        windows=_joined([part[0] for part in parts]),
        judged=np.concatenate([numbers for _, numbers in sorted(_by_region(seen).items())]),
        target=rules.target,
        seen=seen,
        verdicts=verdicts,
        chosen={name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]},
        marks={name: _joined([part[2][name] for part in parts]) for name in parts[0][2]},
        counts=counts,
    )


def marked(trial: Trial, verdicts: Sequence[Verdict]) -> tuple[NDArray[np.int64], Marks]:
    """The sizes that other verdicts on the same windows chose, and what became of them; as ``Trial.chosen`` and ``marks``."""
    chosen, marks = [], []
    regions = _by_region(trial.seen)
    start = 0
    for region, numbers in sorted(regions.items()):
        shapes = SHIPPED.ec2_shapes(region)
        part = _rows_of(trial.windows, slice(start, start + len(numbers)))
        sizes = _sizes(verdicts, numbers, part.present, shapes)
        chosen.append(sizes)
        marks.append(mark(part, sizes, shapes))
        start += len(numbers)
    return np.concatenate(chosen), _joined(marks)


def _rows_of(windows: Windows, rows: slice) -> Windows:
    return Windows(**{column.name: getattr(windows, column.name)[rows] for column in fields(windows)})


def _sizes(
    verdicts: Sequence[Verdict], numbers: NDArray[np.int64], present: NDArray[np.int64], shapes: Shapes
) -> NDArray[np.int64]:
    own = np.array([shapes.number_of(verdicts[i].target) for i in numbers], dtype=np.int64)
    return np.where(own >= 0, own, present)


def _judge(
    region: str, numbers: NDArray[np.int64], seen: Sequence[Seen], verdicts: Sequence[Verdict], target: str, peers: Sequence[Peer]
) -> tuple[Windows, dict[str, NDArray[np.int64]], dict[str, Marks]]:
    shapes = SHIPPED.ec2_shapes(region)
    mine = [seen[i] for i in numbers]
    machines = [
        Machine(
            one.resource.resource_id,
            one.source,
            one.resource.service or one.resource.resource_id,
            shapes.number_of(one.resource.instance_type),
            one.resource.is_memory_known,
        )
        for one in mine
    ]
    windows = judged_windows(machines, [one.series for one in mine], [one.moment for one in mine], shapes, target)
    chosen = {NIGHTSHIFT: _sizes(verdicts, numbers, windows.present, shapes)}
    for peer in peers:
        chosen[peer.id] = choose(peer, [one.needs[peer.id] for one in mine], windows.present, shapes, target)
    return windows, chosen, {name: mark(windows, sizes, shapes) for name, sizes in chosen.items()}


def _by_region(seen: Sequence[Seen]) -> dict[str, NDArray[np.int64]]:
    """The windows that can be judged, by region: those with a present size that has a price."""
    found: dict[str, list[int]] = {}
    for number, one in enumerate(seen):
        shapes = SHIPPED.ec2_shapes(one.resource.region)
        present = shapes.number_of(one.resource.instance_type)
        if present >= 0 and shapes.usd_per_hour[present] > 0:
            found.setdefault(one.resource.region or "", []).append(number)
    return {region: np.array(numbers, dtype=np.int64) for region, numbers in found.items()}


_Columns = TypeVar("_Columns", Windows, Marks)


def _joined(parts: Sequence[_Columns]) -> _Columns:
    def join(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        return (
            np.concatenate(columns) if isinstance(columns[0], np.ndarray) else [entry for column in columns for entry in column]
        )

    return type(parts[0])(**{column.name: join(column.name) for column in fields(parts[0])})


def _present(resource: Listed) -> Present | None:
    shapes = SHIPPED.ec2_shapes(resource.region)
    number = shapes.number_of(resource.instance_type)
    if number < 0:
        return None
    return Present(number, shapes.capacity[number], resource.is_memory_known, float(shapes.usd_per_hour[number]))


def _moments(file: Path | None, resources: Mapping[str, Listed]) -> dict[str, list[int]] | None:
    if file is None:
        return None
    rows = exports.windows(file)
    unknown = sorted(set(rows["resource_id"].to_list()) - set(resources))
    if unknown:
        raise InputError(f"{file} names {unknown[0]}, which the resources file does not list; add it, or leave its windows out.")
    found: dict[str, list[int]] = {}
    for resource_id, at in rows.select("resource_id", pl.col("decide_at").dt.epoch("s")).iter_rows():
        found.setdefault(resource_id, []).append(at)
    return found


def _empty_series(resource: Listed, decisions: Decided) -> Series:
    no_time, no_demand = np.empty(0, dtype=np.int64), np.empty((0, len(DIMENSIONS)), dtype=np.float32)
    return Series(
        resource_id=resource.resource_id,
        at=no_time,
        average=no_demand,
        highest=no_demand,
        seen_at=no_time,
        rejected_at=no_time,
        scaled_up_at=decisions.of(resource, decisions.scale_ups),
        decided_at=decisions.of(resource, decisions.all),
        interval_seconds=300.0,
    )


def _judged(seen: Sequence[Seen]) -> NDArray[np.bool_]:
    """Which dimensions count: those that some resource of the same source measured by then.

    What a trace never recorded can neither be required nor be judged. Memory is the exception: unseen, it is never shrunk.
    """
    # Whose samples are all yet to come, of him not even the source is known.
    sources = [one.source if one.summary.coverage_pct > 0 else "" for one in seen]
    recorded: dict[str, NDArray[np.bool_]] = {}
    for one, source in zip(seen, sources, strict=True):
        recorded[source] = recorded.get(source, False) | one.summary.is_measured
    judged = np.stack([recorded[source] for source in sources])
    judged[:, CPU] = True
    judged[:, MEMORY] = [one.resource.is_memory_known for one in seen]
    return judged


def _event(summary: Summary) -> str | None:
    return None if summary.replay_at is None else f"emergency scale-up near {_moment(summary.replay_at):%Y-%m-%d %H:%M} UTC"


def _emergency(summary: Summary) -> str | None:
    return None if summary.last_emergency_at is None else f"last on {_moment(summary.last_emergency_at):%Y-%m-%d %H:%M} UTC"


def _excluding_tag(resource: Listed) -> str | None:
    value = resource.tags.get("nightshift:exclude", "false")
    return None if str(value).lower() == "false" else "nightshift:exclude"


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
