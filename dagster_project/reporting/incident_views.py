"""Incidents in the morning report: what is open or new, how long incidents take, what moved, and what is about to be lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IncidentLine:
    """One incident. ``state``: open, ended or undeclared; ``document``: the page of its postmortem, relative to the report; None
    without one; ``note``: what else there is to say of it."""

    incident_id: str
    title: str
    severity: str | None
    service: str | None
    began: str
    lasted: str
    state: str
    document: str | None = None
    note: str = ""


@dataclass(frozen=True)
class MetricSummary:
    """A metric over the latest period, all severities and services. ``measured`` of ``incidents``; median, interval and P90
    are written out, ``sentence`` says whether it changed and what change could have been seen."""

    name: str
    definition: str
    incidents: int
    measured: int
    median: str
    interval: str
    p90: str
    sentence: str


@dataclass(frozen=True)
class Durations:
    """How long one phase of each incident of the latest period took: ``minutes``, ascending, one for each incident that is
    measured; the median and its interval in minutes, None where it is not known."""

    name: str
    minutes: tuple[float, ...]
    median: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Incidents:
    """The section. ``moved``: corrections since the night before with all that depends on them; ``warnings``: evidence that is
    absent or about to perish; ``capacity``: stories of capacity that incidents left behind, candidates for right-sizing."""

    sentence: str = "No incident is known."
    lines: tuple[IncidentLine, ...] = ()
    period_days: int = 90
    metrics: tuple[MetricSummary, ...] = ()
    durations: tuple[Durations, ...] = ()
    moved: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    capacity: tuple[str, ...] = ()
