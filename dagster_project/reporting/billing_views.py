"""The report's section about what the bill says, as values in reading order. Money is USD a month of 730 hours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BillingClass:
    """All resources whose bill stands to our price in one way. Money is that of their running: what we say is paid for it, the
    bill's list price, and what it costs amortised; None where it is not known, or there is none. ``example`` is one of them, and
    ``sentence`` says it of that one."""

    kind: str
    title: str
    resources: int
    ours_usd_month: float | None
    list_usd_month: float | None
    effective_usd_month: float | None
    example: str
    sentence: str


@dataclass(frozen=True)
class BillingLine:
    """One resource whose amortised cost is not what we say is paid; ``difference_usd_month`` is the bill's less ours."""

    resource_id: str
    service: str | None
    sentence: str
    ours_usd_month: float
    effective_usd_month: float
    difference_usd_month: float


@dataclass(frozen=True)
class BillingGap:
    """Why so many resources could not be compared."""

    sentence: str
    resources: int
    example: str


@dataclass(frozen=True)
class Billing:
    """The section. ``sentence`` tells of all together, ``reach`` how far the bill goes (empty: nothing of it was read);
    ``differences`` are the largest ones, and ``more`` how many there are besides. ``notes`` tell what is charged beside the
    running of resources and what was set aside, ``unread`` what could not be read."""

    sentence: str
    reach: str = ""
    classes: tuple[BillingClass, ...] = ()
    differences: tuple[BillingLine, ...] = ()
    more: int = 0
    gaps: tuple[BillingGap, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
