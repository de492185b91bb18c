"""The values of the outcome ledger: a change that was applied, what became of it, and a service's headroom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

WATCHED_DAYS = 28
"""How long a change is watched."""
KEPT_DAYS = 35
"""How long it is listed: a week more, so that its last check is made even where nights did not run."""
CHECKED_AFTER_DAYS = (1, 7, 28)

FINE, REGRET, UNKNOWN = "fine", "regret", "unknown"
EMERGENCY, EXCEEDED, REVERSED = "emergency_scaleup", "exceeded", "reversed"
"""Why a change is regretted; of several on one day the first one here is told."""

INSTANCE_TYPE, INSTANCE_CLASS, MIN_SIZE = "instance_type", "instance_class", "min_size"
SEEN = "seen"
"""Begins the source of a change that somebody made by hand to exactly what was proposed."""


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """A proposal that somebody decided for, and that was carried out.

    ``source`` says how, and with the resource tells one change from every other: ``owner/repo#12`` for a merged pull request,
    ``request:apr-1a2b…`` for an approved request that Nightshift executed itself, ``seen 2025-03-09`` for a change that was made
    by hand. ``estimated_usd_month`` is what the proposal said that it saves (negative for a rollback),
    ``stated_exceedance_pct`` the chance in percent that some sample of a week exceeds the new size, as it said. ``noted_on`` is
    the night or the day on which the change was noted, ``applied_on`` the first day whose inventory shows it.
    """

    resource_id: str
    resource_type: str
    service: str | None
    team: str | None
    environment: str | None
    attribute: str
    value_before: str
    value_after: str
    source: str
    decided_by: str | None
    decided_at: datetime | None
    estimated_usd_month: float
    stated_exceedance_pct: float | None
    risk: str
    noted_on: date
    is_rollback: bool = False
    applied_on: date | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The resource and the source."""
        return self.resource_id, self.source


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change as it stands at the end of a day: one row of the table ``proposal_outcomes``, whose columns these are.

    Samples, emergencies and incidents are those since the change, for as long as it is watched and its size is there. Money is
    USD a month. ``regret`` is None while it is not known, and ``regret_on`` the first day that gave a reason. A size that was
    made smaller once more is superseded, not reversed. ``weeks`` are whole weeks since the change; of those that are observed
    some may be exceeded.
    """

    change: AppliedChange
    applied_on: date | None
    days_since: int | None = None
    region: str | None = None
    value_now: str | None = None
    realized_usd_month: float | None = None
    samples: int | None = None
    coverage_pct: float | None = None
    exceeded_samples: int | None = None
    first_exceeded_on: date | None = None
    weeks_observed: int | None = None
    weeks_exceeded: int | None = None
    emergencies: int | None = None
    first_emergency_at: datetime | None = None
    last_emergency_at: datetime | None = None
    last_emergency_target: str | None = None
    incidents: int | None = None
    is_reversed: bool | None = None
    reversed_on: date | None = None
    superseded_on: date | None = None
    regret: bool | None = None
    regret_reason: str | None = None
    regret_on: date | None = None
    check_1: str | None = None
    check_7: str | None = None
    check_28: str | None = None

    @property
    def exceedance_pct(self) -> float | None:
        """Share of the samples that exceeded the size, in percent."""
        if not self.samples or self.exceeded_samples is None:
            return None
        return 100 * self.exceeded_samples / self.samples


@dataclass(frozen=True, slots=True)
class HeadroomChange:
    """A service's headroom from a day on: by how many percent its demand counts for more than it was. ``reason`` is a
    sentence."""

    service: str
    changed_on: date
    headroom_pct: float
    previous_pct: float
    reason: str
