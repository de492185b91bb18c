"""Phases that stated durations point at: "Time to detection: 54 minutes" names the row that is 54 minutes after another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product

from dagster_project.domain.incidents.importing.model import StatedDuration
from dagster_project.domain.incidents.importing.phase_words import tells_of_recovery
from dagster_project.domain.incidents.importing.phases import Dated
from dagster_project.domain.incidents.model import Moment

_SURE = 0.75


def anchored(
    candidates: Mapping[str, tuple[Moment, ...]], rows: Sequence[Dated], stated: Sequence[StatedDuration]
) -> dict[str, tuple[Moment, ...]]:
    """The candidates with impact_started, detected and impact_ended as a stated time to detection and one to recovery place them.

    Both must fit one beginning to the minute, else nothing follows: two numbers of an hour's precision fit somewhere by accident.
    """
    detect = next((one.minutes for one in stated if one.metric_id == "ttd"), None)
    recover = next((one.minutes for one in stated if one.metric_id in ("ttrst", "ttrep", "ttres")), None)
    if detect is None or recover is None:
        return dict(candidates)
    found = _triple(
        [row for row in rows if row.phase is None and _is_exact(row)], timedelta(minutes=detect), timedelta(minutes=recover)
    )
    if found is None:
        return dict(candidates)
    placed = dict(candidates)
    for phase, row in zip(("impact_started", "detected", "impact_ended"), found, strict=True):
        moment = Moment(
            row.found.at,
            row.found.precision,
            "import",
            "stated_duration",
            _SURE,
            (row.place,),
            row.found.zone,
            f"The stated times to detection ({detect:g} min) and recovery ({recover:g} min) point at this row.",
        )
        placed[phase] = _with(moment, placed.get(phase, ()))
    return placed


def _with(moment: Moment, others: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """The moment among the others: after those that are surer, and in the place of one that says the same less surely."""
    if any(one.at == moment.at and one.confidence >= moment.confidence for one in others):
        return others
    rest = [one for one in others if one.at != moment.at]
    return tuple(sorted([moment, *rest], key=lambda one: -one.confidence))


def _is_exact(row: Dated) -> bool:
    return row.found.at is not None and not row.found.is_likely and row.found.precision in ("second", "minute")


def _triple(rows: Sequence[Dated], detect: timedelta, recover: timedelta) -> tuple[Dated, Dated, Dated] | None:
    """(start, detected, recovered): the recovery counted from the start if that fits, else from the detection."""
    by_minute: dict[datetime, Dated] = {}
    for row in rows:
        by_minute.setdefault(row.found.at.replace(second=0, microsecond=0), row)
    starts = sorted((row for row in by_minute.values() if not tells_of_recovery(row.text)), key=lambda row: row.found.at)
    for from_detection, start in product((False, True), starts):
        first = _row_at(by_minute, start.found.at + detect)
        last = _row_at(by_minute, start.found.at + recover + (detect if from_detection else timedelta()))
        if first is None or last is None or last.found.at <= start.found.at:
            continue
        # Nobody detects an incident by its recovery.
        if first is start or not tells_of_recovery(first.text):
            return start, first, last
    return None


def _row_at(rows: Mapping[datetime, Dated], at: datetime) -> Dated | None:
    return rows.get(at.replace(second=0, microsecond=0))
