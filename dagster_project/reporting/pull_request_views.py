"""What the text of a pull request and of the dashboard issue is rendered from: frozen values, in reading order."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.reporting.views import Proposal


@dataclass(frozen=True)
class EditedLine:
    """One edited line, with the resources whose size it sets. ``proposals`` tell what each stands on."""

    file: str
    line: int
    attribute: str
    before: str
    after: str
    resource_ids: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    closest_events: tuple[str, ...]
    notes: tuple[str, ...]
    other_plans: tuple[str, ...]


@dataclass(frozen=True)
class PullRequestText:
    """A pull request. Money is USD a month; ``effects`` say what a merge does and does not do, ``payload`` is the comment that
    remembers the proposal, ``cash`` how much of what it saves commitments go on being paid for, ``page_url`` the address of its
    page, which stays the same from night to night."""

    root: str
    owner: str
    risk: str
    risk_reasons: tuple[str, ...]
    is_draft: bool
    lines: tuple[EditedLine, ...]
    savings_usd_month: float
    effects: tuple[str, ...]
    rollback: tuple[str, ...]
    dropped: tuple[str, ...]
    payload: str
    is_discounted: bool = False
    cash: tuple[str, ...] = ()
    page_url: str | None = None

    @property
    def resources(self) -> int:
        return sum(len(line.resource_ids) for line in self.lines)


@dataclass(frozen=True)
class RollbackLine:
    """One line that is edited back. ``reasons`` are pairs of a resource and why it goes back."""

    file: str
    line: int
    attribute: str
    before: str
    after: str
    costs_usd_month: float
    reasons: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    other_plans: tuple[str, ...]


@dataclass(frozen=True)
class RollbackText:
    """A pull request that goes back to what there was before. ``costs_usd_month`` is what that costs more a month, USD."""

    root: str
    owner: str
    lines: tuple[RollbackLine, ...]
    costs_usd_month: float
    effects: tuple[str, ...]
    dropped: tuple[str, ...]
    payload: str
    is_discounted: bool = False

    @property
    def resources(self) -> int:
        return sum(len(line.reasons) for line in self.lines)


@dataclass(frozen=True)
class DashboardEntry:
    """One line of the dashboard: a pull request, or a resource, and what is to be known of it."""

    title: str
    number: int | None
    detail: str
    savings_usd_month: float | None = None


@dataclass(frozen=True)
class DashboardText:
    """What stands in one repository. It holds nothing that changes from night to night by itself."""

    open: tuple[DashboardEntry, ...]
    frozen: tuple[DashboardEntry, ...]
    waiting: tuple[DashboardEntry, ...]
    rejected: tuple[DashboardEntry, ...]
    not_applied: tuple[DashboardEntry, ...]
    refused: tuple[DashboardEntry, ...]
