"""What the pages beside the report are rendered from: one resource, one proposal, one team or service.

Addresses are relative to the folder of the day; pages lie one folder below it. Money is USD per month of 730 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster_project.reporting.views import DemandChart, EvidenceLine


@dataclass(frozen=True)
class Peaks:
    """The highest CPU and memory of each day, in percent of the present size; ``None`` is a day without data. The limit is
    where the CPU of the smaller size would be full, None where there is none or it is not known."""

    first: date
    cpu_pct: tuple[float | None, ...]
    memory_pct: tuple[float | None, ...]
    cpu_limit_pct: float | None


@dataclass(frozen=True)
class CarriedOut:
    """A change of the resource that was carried out before: what, when it became live, and what it saves."""

    change: str
    source: str
    stage: str
    note: str
    applied_on: date | None
    estimated_usd_month: float
    realized_usd_month: float | None


@dataclass(frozen=True)
class ResourcePage:
    """One resource that was proposed, changed or refused by replay. ``slug`` names its file; ``change`` is empty where nothing is
    proposed, ``links`` are (title, address) of its service, team and proposal."""

    slug: str
    resource_id: str
    kind: str
    place: str
    verdict: str
    reason_code: str
    sentence: str
    change: str
    savings_usd_month: float
    stage: str | None
    stage_note: str
    reference: str | None
    reference_url: str | None
    links: tuple[tuple[str, str], ...]
    money: tuple[tuple[str, str], ...]
    evidence: tuple[EvidenceLine, ...]
    demand: DemandChart | None
    peaks: Peaks | None
    emergencies: tuple[str, ...] = ()
    carried_out: tuple[CarriedOut, ...] = ()


@dataclass(frozen=True)
class ChangeLine:
    """One change in a list; ``page`` is the resource's own page, None where it has none. Money that is None is not known."""

    resource_id: str
    page: str | None
    change: str
    place: str
    stage: str
    note: str
    savings_usd_month: float | None
    realized_usd_month: float | None = None


@dataclass(frozen=True)
class ProposalPage:
    """One pull request, group or approval request. ``ident`` is its group's digest or the request's id, ``url`` where it is
    discussed, ``detail`` what it waits for; ``beside`` are (what it is, its changes) of what else stands of its group."""

    ident: str
    slug: str
    title: str
    kind: str
    state: str
    url: str | None
    repository: str | None
    root: str | None
    owner: str
    risk: str | None
    opened_on: date | None
    detail: str
    answer_by: str
    usd_month: float
    changes: tuple[ChangeLine, ...]
    beside: tuple[tuple[str, tuple[ChangeLine, ...]], ...] = ()


@dataclass(frozen=True)
class GroupReason:
    """Why nothing is proposed for some resources of a group."""

    verdict: str
    title: str
    reason_code: str
    resources: int
    usd_month: float | None


@dataclass(frozen=True)
class GroupIncident:
    """One incident of a group; ``document`` is its postmortem, relative to the folder of the day."""

    incident_id: str
    title: str
    severity: str | None
    service: str
    began: str
    lasted: str
    document: str | None


@dataclass(frozen=True)
class GroupItem:
    """One action item that is not done; ``late`` are days since it was due, None where it is not."""

    item_id: str
    title: str
    incident_id: str | None
    state: str
    due: str
    late: int | None


@dataclass(frozen=True)
class GroupPage:
    """A team or a service; money that is None is not known. ``links``: of a service its team, of a team its services. Lists are
    shortened, ``…_total`` counts all that there is."""

    slug: str
    kind: str  # team | service
    name: str
    resources: int
    fleet_usd_month: float | None
    proposals: int
    safe_usd_month: float
    refused: int
    refused_usd_month: float | None
    waiting: int
    waiting_usd_month: float | None
    kept: int
    live: int
    realized_usd_month: float | None
    links: tuple[tuple[str, str], ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    changes_total: int = 0
    reasons: tuple[GroupReason, ...] = ()
    incidents: tuple[GroupIncident, ...] = ()
    incidents_total: int = 0
    items: tuple[GroupItem, ...] = ()
    items_total: int = 0
