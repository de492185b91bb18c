"""The view model of a postmortem: values that are already computed and redacted, in the order in which they are read.

Times are naive UTC. None means that it is not known; a section without content says why in ``Postmortem.empty_because``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class Link:
    """Something with an address, where one is known; ``text`` stands alone otherwise."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Header:
    """What the incident is. ``not_counted_because`` is None where it counts in metrics; ``completeness_pct`` is the share of the
    evidence that was kept (0..100), ``absent`` names what is not there, as sentences; ``as_of`` is the day of what is written."""

    incident_id: str
    title: str
    as_of: date | None = None
    severity: str | None = None
    status: str | None = None
    kind: str = "normal"
    services: tuple[str, ...] = ()
    commander: str | None = None
    channel: Link | None = None
    not_counted_because: str | None = None
    completeness_pct: float | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """A time in which customers felt it; ``ended_at`` is None while it lasts or where nobody knows."""

    started_at: datetime
    ended_at: datetime | None
    known_from: str = ""


@dataclass(frozen=True)
class Impact:
    """What customers felt. ``minutes`` is the union of the windows; ``users`` is written out in words."""

    windows: tuple[Window, ...] = ()
    minutes: float | None = None
    failed_requests: float | None = None
    failed_pct: float | None = None
    users: str | None = None


@dataclass(frozen=True)
class Candidate:
    """Another time at which the phase may have begun, and why."""

    at: datetime
    known_from: str
    reason: str


@dataclass(frozen=True)
class PhaseLine:
    """A phase. ``at`` is None where it is not known; ``confidence`` is 0..1; ``picked_because`` is the reason that a person gave
    for this time; None where nobody picked it."""

    phase: str
    title: str
    at: datetime | None = None
    precision: str = "second"
    known_from: str = ""
    reason: str = ""
    confidence: float | None = None
    picked_because: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class MetricLine:
    """A metric by its definition. ``value`` is written out (``4 h 23 min``); None with the reason of its status otherwise."""

    metric_id: str
    name: str
    definition: str
    value: str | None = None
    status: str = "ok"
    reason: str | None = None
    clock: str = "wall"


@dataclass(frozen=True)
class TimelineEntry:
    """One fact. ``lane`` is one of ``events.LANES``, ``impact``, or ``silence`` for a stretch in which no source said anything;
    ``label`` is short, for charts; ``count`` is how often it repeated until ``until``; ``phase`` is the title of the phase that
    it began; ``effect`` of the engine's entries: acted, blocked or failed."""

    at: datetime
    text: str
    lane: str
    until: datetime | None = None
    precision: str = "second"
    label: str = ""
    count: int = 1
    sources: tuple[str, ...] = ()
    phase: str | None = None
    effect: str | None = None
    link: Link | None = None


@dataclass(frozen=True)
class EngineLine:
    """A decision of the engine: what it did, or what kept it from doing it."""

    at: datetime
    target: str
    action: str
    result: str
    reason: str | None = None
    policy: str | None = None


@dataclass(frozen=True)
class EngineRecord:
    """What the decision engine did and did not do; ``sentence`` compares it with people."""

    sentence: str | None = None
    acted: tuple[EngineLine, ...] = ()
    blocked: tuple[EngineLine, ...] = ()


@dataclass(frozen=True)
class ActionLine:
    """Something to be done afterwards."""

    title: str
    type: str | None = None
    priority: str | None = None
    owner: str | None = None
    due_on: date | None = None
    due_from: str | None = None
    state: str | None = None
    tracker: Link | None = None
    is_overdue: bool = False


@dataclass(frozen=True)
class SimilarIncident:
    """An earlier incident that is like this one: how much (0..1), why, and what is still open from it."""

    incident_id: str
    title: str
    score: float
    reasons: tuple[str, ...]
    day: date | None = None
    url: str | None = None
    open_items: tuple[ActionLine, ...] = ()


@dataclass(frozen=True)
class ReachedService:
    """A service that depends on the one that failed. ``path`` begins at the failed one; ``seen`` is impacted, possible or
    unknown."""

    service: str
    hops: int
    kind: str
    path: tuple[str, ...]
    seen: str
    evidence: str | None = None


@dataclass(frozen=True)
class BurnAlert:
    """A burn-rate alert over a long and a short window: whether it would have paged, when, or why not. ``is_known``: whether the
    data tell; without, ``reason`` says what they lack."""

    rate: float
    windows: str
    paged_at: datetime | None = None
    reason: str | None = None
    is_known: bool = True


@dataclass(frozen=True)
class ErrorBudget:
    """The objective of a service (a share, 0..1), its budget in minutes of full outage, and the percent of it that went."""

    service: str
    name: str
    objective: float
    window_days: int
    budget_minutes: float
    spent_pct: float | None
    spent_minutes: float | None = None
    reason: str | None = None
    alerts: tuple[BurnAlert, ...] = ()


@dataclass(frozen=True)
class CostLine:
    """A part of the cost in USD; None where it cannot be stated, with the reason in ``basis``."""

    name: str
    low: float | None
    expected: float | None
    high: float | None
    basis: str


@dataclass(frozen=True)
class Mitigation:
    """An action that was taken, and its record over all incidents: ``n`` uses, median minutes to mitigate with a 95 % interval,
    percent of uses with a secondary incident within the hour with its Wilson interval."""

    action: str
    used_here: str
    n: int = 0
    median_minutes: float | None = None
    median_interval: tuple[float, float] | None = None
    secondary_pct: float | None = None
    secondary_interval: tuple[float, float] | None = None
    note: str | None = None


@dataclass(frozen=True)
class BoughtCapacity:
    """Capacity that was added in the incident and never came back down."""

    target: str
    sentence: str
    usd_month: float | None = None
    link: Link | None = None


@dataclass(frozen=True)
class RightsizingLink:
    """A tie to right-sizing. ``direction``: veto (the incident keeps a resource from being shrunk), suspect or caused."""

    direction: str
    subject: str
    sentence: str
    link: Link | None = None


@dataclass(frozen=True)
class Experiment:
    """A suggested chaos experiment: what to break, and what should then happen."""

    title: str
    hypothesis: str
    because: str


@dataclass(frozen=True)
class WordingHint:
    """Wording that blames, where it stands, and what could stand there."""

    place: str
    phrase: str
    suggestion: str


@dataclass(frozen=True)
class AnomalyLine:
    """A stated time that cannot be right as it is, and what it may have meant. Nothing was corrected."""

    what: str
    suggestion: str
    place: str | None = None


@dataclass(frozen=True)
class Postmortem:
    """All of it. ``empty_because`` maps the name of a section to a sentence that says why it has no content."""

    header: Header
    summary: str | None = None
    impact: Impact = Impact()
    phases: tuple[PhaseLine, ...] = ()
    metrics: tuple[MetricLine, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    engine: EngineRecord = EngineRecord()
    factors: tuple[str, ...] = ()
    similar: tuple[SimilarIncident, ...] = ()
    blast_radius: tuple[ReachedService, ...] = ()
    error_budgets: tuple[ErrorBudget, ...] = ()
    cost: tuple[CostLine, ...] = ()
    cost_total: CostLine | None = None
    mitigations: tuple[Mitigation, ...] = ()
    capacity: tuple[BoughtCapacity, ...] = ()
    rightsizing: tuple[RightsizingLink, ...] = ()
    actions: tuple[ActionLine, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    wording: tuple[WordingHint, ...] = ()
    anomalies: tuple[AnomalyLine, ...] = ()
    empty_because: Mapping[str, str] = field(default_factory=dict)
