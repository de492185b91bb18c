"""What moved because a time was corrected: the values that depend on it, and the medians that they moved.

New incidents and phases that an open incident has reached since are no corrections. A median is compared with what it would be
tonight with the value of before, so that what else happened in the meantime does not count as moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.summaries import MIN_MEASURED
from dagster_project.domain.survival import Durations, survival_curve

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Night:
    """What a night held: ``phases`` are the chosen rows of ``incident_phases``; ``metrics`` rows of ``incident_metrics`` with
    ``name``, and of the incident ``severity``, ``service`` and ``is_in_period``: whether the medians of the period hold it."""

    phases: Sequence[Row]
    metrics: Sequence[Row]


@dataclass(frozen=True, slots=True)
class MovedTime:
    """A phase that began at another time than was thought; None = not known. ``why``: who or what says so."""

    phase: str
    before: datetime | None
    after: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class MovedValue:
    """A metric of the incident; minutes are None where it has no value, which ``before_status`` and ``after_status`` explain."""

    metric_id: str
    name: str
    clock: str
    before: float | None
    after: float | None
    before_status: str
    after_status: str


@dataclass(frozen=True, slots=True)
class MovedMedian:
    """The median of a group in the period, in minutes; '*' stands for every severity or service."""

    metric_id: str
    name: str
    clock: str
    severity: str
    service: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What was corrected in one incident, and all that depends on it."""

    incident_id: str
    times: tuple[MovedTime, ...]
    values: tuple[MovedValue, ...]
    medians: tuple[MovedMedian, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """For the report. The reasons are as people wrote them: names are removed where they are shown."""
        return (*map(self._time, self.times), *map(_value_sentence, self.values), *map(_median_sentence, self.medians))

    def _time(self, moved: MovedTime) -> str:
        phase = moved.phase.replace("_", " ")
        return f"{self.incident_id}: {phase} moved from {_at(moved.before)} to {_at(moved.after)} ({moved.why})."


def moved(before: Night, after: Night) -> tuple[Correction, ...]:
    """The corrections between two nights, by incident."""
    known = {row["incident_id"] for row in before.metrics}
    was, now = _chosen(before.phases), _chosen(after.phases)
    times: dict[str, list[MovedTime]] = {}
    for incident_id, phase in sorted({**was, **now}):
        if incident_id in known and (found := _time_of(phase, was.get((incident_id, phase)), now.get((incident_id, phase)))):
            times.setdefault(incident_id, []).append(found)
    values = {(row["incident_id"], row["metric_id"], row["clock"]): row for row in before.metrics}
    by_incident, by_metric = _by(after.metrics, "incident_id"), _by(_in_period(after.metrics), "metric_id", "clock")
    return tuple(
        _correction(incident_id, tuple(found), values, by_incident.get((incident_id,), []), by_metric)
        for incident_id, found in times.items()
    )


def _in_period(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row["is_in_period"])


def _by(rows: Iterable[Row], *keys: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _chosen(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {(row["incident_id"], row["phase"]): row for row in rows}


def _time_of(phase: str, before: Row | None, after: Row | None) -> MovedTime | None:
    was, now = (None if row is None else row["began_at"] for row in (before, after))
    is_reached_since = before is None and after is not None and after["source"] != "person"
    if was == now or is_reached_since:
        return None
    return MovedTime(phase, was, now, _why(after))


def _why(row: Row | None) -> str:
    if row is None:
        return "nothing tells it any more"
    teller = "picked by a person" if row["source"] == "person" else f"from {row['source']}, {row['method']}".replace("_", " ")
    reason = (row["reason"] or "").rstrip(".")
    return f"{teller}: {reason}" if reason else teller


def _correction(
    incident_id: str,
    times: tuple[MovedTime, ...],
    was: Mapping[tuple[str, str, str], Row],
    rows: Iterable[Row],
    by_metric: Mapping[tuple[Any, ...], Sequence[Row]],
) -> Correction:
    values, medians = [], []
    for row in rows:
        before = was.get((incident_id, row["metric_id"], row["clock"]))
        if before is not None and _is_moved_by(times, before, row):
            values.append(_value(before, row))
            medians += _medians(before, row, by_metric.get((row["metric_id"], row["clock"]), ()))
    return Correction(incident_id, times, tuple(values), tuple(medians))


def _is_moved_by(times: Iterable[MovedTime], before: Row, after: Row) -> bool:
    """Whether one of the value's ends is a time that moved, and the value with it."""
    if _content(before) == _content(after):
        return False
    ends = {(before[end], after[end]) for end in ("from_at", "to_at")}
    return any((time.before, time.after) in ends for time in times)


def _content(row: Row) -> tuple[Any, ...]:
    return row["status"], row["minutes"], row["censored_minutes"]


def _value(before: Row, after: Row) -> MovedValue:
    minutes = (_minutes(row) for row in (before, after))
    return MovedValue(after["metric_id"], after["name"], after["clock"], *minutes, before["status"], after["status"])


def _minutes(row: Row) -> float | None:
    return row["minutes"] if row["minutes"] is not None else row["censored_minutes"]


def _medians(before: Row, after: Row, alike: Sequence[Row]) -> Iterator[MovedMedian]:
    """Medians of the groups that hold the incident, with its value of before and with that of tonight."""
    if not after["is_in_period"]:
        return
    severity, service = after["severity"], after["service"]
    for group in dict.fromkeys((("*", "*"), (severity, "*"), ("*", service), (severity, service))):
        others = [row for row in alike if _is_in(row, *group) and row["incident_id"] != after["incident_id"]]
        was, now = _median([*others, before]), _median([*others, after])
        if was != now:
            yield MovedMedian(after["metric_id"], after["name"], after["clock"], *group, was, now)


def _is_in(row: Row, severity: str, service: str) -> bool:
    return severity in ("*", row["severity"]) and service in ("*", row["service"])


def _median(rows: Iterable[Row]) -> float | None:
    ended = [row["minutes"] for row in rows if row["status"] == "ok"]
    running = [row["censored_minutes"] for row in rows if row["status"] == "provisional"]
    return survival_curve(Durations.of(ended, running)).quantile(0.5) if len(ended) >= MIN_MEASURED else None


def _value_sentence(value: MovedValue) -> str:
    before, after = _shown(value.before, value.before_status), _shown(value.after, value.after_status)
    return f"Its {value.name}{_in(value.clock)} moved from {before} to {after}."


def _median_sentence(median: MovedMedian) -> str:
    parts = [f"{kind} {name}" for kind, name in (("severity", median.severity), ("service", median.service)) if name != "*"]
    group = " and ".join(parts) or "all incidents"
    before, after = (_shown(minutes, "too few to say") for minutes in (median.before, median.after))
    return f"The median {median.name}{_in(median.clock)} of {group} moved from {before} to {after}."


def _in(clock: str) -> str:
    return "" if clock == "wall" else " in support hours"


def _shown(minutes: float | None, status: str) -> str:
    if minutes is None:
        return status
    return f"{minutes:,.1f} min".replace(".0 ", " ") + (" so far" if status == "provisional" else "")


def _at(moment: datetime | None) -> str:
    return "unknown" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
