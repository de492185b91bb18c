"""Money in the morning report: how far savings have come, over nights, by team and by service, beside what incidents cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

STAGES = ("identified", "proposed", "approved", "applied", "realized")


@dataclass(frozen=True)
class Stage:
    """One step of the waterfall. ``lost_usd_month`` is what the step before it had more (negative: less), ``lost_because`` why
    in a few words; both empty of the first. ``is_known`` is whether ``usd_month`` is: of what is live it may be that nobody knows
    what any of it saves."""

    name: str  # one of STAGES
    usd_month: float
    changes: int
    lost_usd_month: float = 0.0
    lost_because: str = ""
    is_known: bool = True


@dataclass(frozen=True)
class GroupSavings:
    """A team or a service. ``page`` is its own page, relative to the report; None for what has no tag. ``safe``, ``refused`` and
    ``waiting`` are USD a month by verdict; ``realized`` is what its live changes save; None is not known."""

    name: str
    page: str | None
    resources: int
    fleet_usd_month: float | None
    proposals: int
    safe_usd_month: float
    refused_usd_month: float | None
    waiting_usd_month: float | None
    realized_usd_month: float | None


@dataclass(frozen=True)
class IncidentCost:
    """How far it is known what incidents cost: ``costed`` of ``incidents`` have a known cost, together from ``low_usd`` to
    ``high_usd`` (None: not known); ``not_included`` names parts that are missing in some of them."""

    incidents: int
    costed: int
    low_usd: float | None
    high_usd: float | None
    not_included: str = ""


@dataclass(frozen=True)
class SavingsSection:
    """Everything about money. ``held`` says what was identified and not proposed, by reason; ``nights`` are all days of a span
    with the numbers of their night, none where it is missing; ``files`` are (name, what it is) in the report's folder;
    ``teams`` and ``services`` are the first of so many in all."""

    stages: tuple[Stage, ...] = ()
    held: tuple[str, ...] = ()
    nights: tuple[tuple[date, Mapping[str, float | None]], ...] = ()
    teams: tuple[GroupSavings, ...] = ()
    services: tuple[GroupSavings, ...] = ()
    teams_total: int = 0
    services_total: int = 0
    incident_cost: IncidentCost | None = None
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answers:
    """The first screen: numbers of the night by name (None: not known), and those of the night before."""

    numbers: Mapping[str, float | None] = field(default_factory=dict)
    before: Mapping[str, float | None] = field(default_factory=dict)
    before_day: date | None = None
