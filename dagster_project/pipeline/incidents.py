"""Every incident that is known on a day: the decision engine's, imported ones, and clusters that nobody declared."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import asyncpg
import polars as pl

from dagster_project.actions import incident_store
from dagster_project.domain.incidents.anomalies import Anomaly, anomalies_of, incident_anomalies
from dagster_project.domain.incidents.doubt import doubted
from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.importing.model import ImportedIncident, from_document
from dagster_project.domain.incidents.model import PHASES, ImpactWindow, Incident, Moment
from dagster_project.domain.incidents.phases import LEAST_CONFIDENCE
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.tables import DECISION_AUDIT, INCIDENTS, RESOURCE_INVENTORY
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.pipeline.state import in_state
from dagster_project.statements import statement

_EARLIEST = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC
UNDECLARED = "UND-"
"""What the ids of undeclared incidents begin with."""
RULES_VERSION = 1
"""Of phases and timelines: with another one, everything is worked on again."""
_AFTER = timedelta(minutes=60)
"""For so long after an incident events may belong to it: reverts, and what people say afterwards."""


@dataclass(frozen=True)
class Known:
    """An incident with all that its timeline is made of, but for captured events. ``recorded`` is the decision engine's own
    record as it was read, None where it has none."""

    incident: Incident
    picks: Mapping[str, Moment] = field(default_factory=dict)
    imported: ImportedIncident | None = None
    recorded: Incident | None = None

    @property
    def started_at(self) -> datetime | None:
        """Its first known moment, picks before stated times."""
        return min(self._moments(), default=None)

    @property
    def ended_at(self) -> datetime | None:
        """Its last known moment; None while it is open."""
        return None if self.incident.is_open else max(self._moments(), default=None)

    def bounds(self, day_end: datetime) -> tuple[datetime, datetime] | None:
        """From its first to its last moment, as far as these are no later than the day; None where no time of it is known, or
        none that can be."""
        if self.started_at is None or not _EARLIEST <= self.started_at <= day_end:
            return None
        return self.started_at, min(self.ended_at or day_end, day_end)

    def span(self, day_end: datetime, lead_minutes: int) -> tuple[datetime, datetime] | None:
        """The time in which events may belong to it, or None where no time of it is known, or none that can be."""
        bounds = self.bounds(day_end)
        return None if bounds is None else (bounds[0] - timedelta(minutes=lead_minutes), bounds[1] + _AFTER)

    @property
    def windows(self) -> tuple[ImpactWindow, ...]:
        """The impact windows with what people have said of them. Of several, nobody can say which one a pick means."""
        stated = self.incident.windows
        start, end = (self._stated_or_picked(phase) for phase in ("impact_started", "impact_ended"))
        if len(stated) > 1 or start is None or min(each.confidence for each in (start, end) if each) < LEAST_CONFIDENCE:
            return stated
        if stated and not {"impact_started", "impact_ended"} & self.picks.keys():
            return stated
        source = stated[0].source if stated else start.source
        return (ImpactWindow(start.at, None if end is None else end.at, source),)

    def _stated_or_picked(self, phase: str) -> Moment | None:
        return self.picks.get(phase) or self.incident.phases.get(phase)

    @property
    def services(self) -> tuple[str, ...]:
        """Its services, its own first."""
        return tuple(dict.fromkeys(each for each in (self.incident.service, *self.incident.services) if each))

    def anomalies(self, now: datetime) -> tuple[Anomaly, ...]:
        """What is wrong with the times of the engine's own record and of the import beside it, each as it was read: in
        ``incident`` what is doubted is no longer taken for known. ``now`` (naive UTC): later is of the future."""
        if self.recorded is None and self.imported is None:
            return incident_anomalies(self.incident, now=now)
        recorded = incident_anomalies(self.recorded, now=now) if self.recorded else ()
        told = (*recorded, *(anomalies_of(self.imported, now=now) if self.imported else ()))
        return tuple({(each.code, each.phase, each.sentence): each for each in told}.values())

    @cached_property
    def digest(self) -> str:
        """Of everything here; equal where nothing changed."""
        content = (RULES_VERSION, self.incident, dict(self.picks), self.imported and self.imported.events)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    def _moments(self) -> Iterator[datetime]:
        yield from (moment.at for phase in PHASES if (moment := self._stated_or_picked(phase)) is not None)
        for window in self.windows:
            yield from (at for at in (window.started_at, window.ended_at) if at is not None)


def known_incidents(runtime: Runtime, day: date, ids: Collection[str] | None = None) -> dict[str, Known]:
    """Incident id → what is known of it, by id; with ``ids`` only of those.

    Records are those of the end of ``day``. What people have said and imported counts whenever they did: it tells of the past,
    and a day that is run again is told as it is known now.
    """
    runtime.lake.require(INCIDENTS, day)
    # What nobody declared can only be told beside all that was.
    is_whole = ids is None or any(name.startswith(UNDECLARED) for name in ids)
    found = _known(runtime, day, None if is_whole else ids)
    return found if ids is None else {name: found[name] for name in sorted(ids) if name in found}


def known_now(runtime: Runtime) -> tuple[date | None, dict[str, Known]]:
    """The newest day of which incidents were read (None: no night ran yet), and what is known at this moment."""
    day = max(runtime.lake.days(INCIDENTS), default=None)
    return day, _known(runtime, day)


def this_moment(runtime: Runtime) -> datetime:
    """When this run began, as naive UTC."""
    return runtime.now.astimezone(UTC).replace(tzinfo=None)


def _known(runtime: Runtime, day: date | None, ids: Collection[str] | None = None) -> dict[str, Known]:
    documents, picks = in_state(runtime, lambda connection: _told(connection, ids), is_new=True)
    until = datetime.combine(day + timedelta(days=1), time()) if day else this_moment(runtime)
    imported = {each.incident.incident_id: each for each in map(from_document, documents)}
    if day is None:
        return {name: _with_import(None, each, picks.get(name, {}), until) for name, each in sorted(imported.items())}
    with open_engine(runtime.lake) as engine:
        engine.view(INCIDENTS, [day])
        rows = engine.rows(statement("reports/incidents_of_day"))
        recorded = [incident_of(row) for row in rows if ids is None or row["incident_id"] in ids]
        found = {each.incident_id: _recorded(each, picks.get(each.incident_id, {}), until) for each in recorded}
        for incident_id, document in imported.items():
            told = _with_import(found.get(incident_id), document, picks.get(incident_id, {}), until)
            if told.recorded is not None or told.started_at is None or told.started_at < until:
                found[incident_id] = told
        for incident in _undeclared(runtime, engine, day, found.values()) if ids is None else ():
            found[incident.incident_id] = Known(incident, picks.get(incident.incident_id, {}))
    return dict(sorted(found.items()))


async def _told(connection: asyncpg.Connection, ids: Collection[str] | None) -> Any:
    """Imports and picks."""
    return await incident_store.imported(connection, None if ids is None else sorted(ids)), await incident_store.picks(connection)


def _recorded(incident: Incident, picks: Mapping[str, Moment], now: datetime) -> Known:
    return Known(doubted(incident, incident_anomalies(incident, now=now)), picks, recorded=incident)


def _with_import(recorded: Known | None, document: ImportedIncident, picks: Mapping[str, Moment], now: datetime) -> Known:
    """An import beside the engine's own record adds what that does not know, or knows less surely."""
    told = doubted(document.incident, anomalies_of(document, now=now))
    if recorded is None:
        return Known(told, picks, document)
    own = recorded.incident
    phases = dict(told.phases)
    for phase, moment in own.phases.items():
        other = phases.get(phase)
        # A doubtful time of the record gives way to a sure one; of two sure ones the record's counts.
        if other is None or moment.confidence >= LEAST_CONFIDENCE or moment.confidence >= other.confidence:
            phases[phase] = moment
    kind = told.kind if own.kind == "normal" else own.kind
    merged = replace(own, phases=phases, windows=own.windows or told.windows, kind=kind)
    return Known(merged, picks, document, recorded.recorded)


def incident_of(row: Mapping[str, Any]) -> Incident:
    """An incident out of a row of the lake's ``incidents``."""
    phases = {phase: _stated(row[f"{phase}_at"]) for phase in PHASES if row.get(f"{phase}_at") is not None}
    started = row["impact_started_at"]
    windows = (ImpactWindow(started, row["impact_ended_at"]),) if started is not None else ()
    return Incident(
        row["incident_id"],
        row["title"],
        row["severity"],
        row["service"],
        (row["service"],) if row["service"] else (),
        row["status"],
        (row["kind"] or "normal").lower(),
        phases,
        windows,
        row["summary"],
        row["commander"],
        row["slack_channel"],
    )


def _stated(at: datetime) -> Moment:
    # Records are typed in by the minute; a second that is not zero was taken from a machine.
    return Moment(at, "second" if at.second or at.microsecond else "minute", confidence=0.95)


def _undeclared(runtime: Runtime, engine: Engine, day: date, known: Iterable[Known]) -> Iterator[Incident]:
    rules = runtime.settings.incidents
    day_end = datetime.combine(day + timedelta(days=1), time())
    engine.view(RESOURCE_INVENTORY, [day])
    # A day more: a cluster that the first day cuts in two would change its name.
    engine.view(DECISION_AUDIT, days_up_to(day, rules.document_days + 1))
    engine.view_frame("incident_spans", spans_of(known, day_end, rules.lead_minutes))
    parameters = {"decisions": rules.undeclared_decisions, "minutes": rules.undeclared_minutes, "day_end": day_end}
    found = engine.rows(statement("reports/undeclared_incidents"), parameters)
    horizon = day_end - timedelta(days=rules.document_days)
    yield from (_cluster(row) for row in found if row["started_at"] >= horizon)


def spans_of(known: Iterable[Known], day_end: datetime, lead_minutes: int) -> pl.DataFrame:
    """incident_id, services, from_at and to_at of those of which any time is known."""
    spans = [(each, span) for each in known if (span := each.span(day_end, lead_minutes)) is not None]
    rows = [(each.incident.incident_id, list(each.services), *span) for each, span in spans]
    return pl.DataFrame(rows, schema=_SPAN, orient="row")


_SPAN = {"incident_id": pl.String, "services": pl.List(pl.String), "from_at": pl.Datetime("us"), "to_at": pl.Datetime("us")}


def _cluster(row: Mapping[str, Any]) -> Incident:
    service, started, ended = row["service"], row["started_at"], row["ended_at"]
    actions = ", ".join(row["actions"])
    summary = (
        f"{row['decisions']} emergency decisions about {service} between {started:%Y-%m-%d %H:%M} and {ended:%H:%M} UTC "
        f"({actions}; {row['succeeded']} succeeded), and no incident covers them."
    )
    begun = Moment(started, "second", "decision_audit", "first_decision", 0.75, reason="The first of the decisions.")
    # When the engine stopped trying is not when it was over.
    last = Moment(ended, "second", "decision_audit", "last_decision", 0.5, reason="The last of the decisions.")
    return Incident(
        f"{UNDECLARED}{service}-{started:%Y%m%dT%H%M}",
        f"Undeclared: {row['decisions']} emergency decisions about {service}",
        service=service,
        services=(service,),
        status="proposed",
        phases={"detected": begun, "impact_ended": last},
        summary=summary,
        origin="decision_audit",
    )


def imported_events(known: Known) -> tuple[Event, ...]:
    """Timeline rows of an imported document."""
    return known.imported.events if known.imported is not None else ()
