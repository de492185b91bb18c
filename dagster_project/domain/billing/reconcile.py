"""How the bill's prices of a resource stand to ours. Money is USD a month of 730 hours, of all its machines.

The bill knows three prices of the same hour: at list, as contracted (after negotiated discounts), and effective (amortised: after
what commitments pay for, with what they cost). The first place where they part from ours names the class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MONTH_HOURS = 730
MIN_HOURS = 24
"""Hours of running below which a bill says nothing certain of a resource's month."""
LATE = timedelta(days=2)
"""What is younger than this need not be in a bill that reaches so far: a bill does not grow evenly."""

AGREES = "agrees"
NEGOTIATED = "negotiated_discount"
COMMITMENT = "commitment"
LIST_DIFFERS = "list_price_differs"
UNCLEAR = "bill_contradicts_itself"
NOT_BILLED = "listed_not_billed"
BILLED_ONLY = "billed_not_listed"
NOT_COMPARED = "not_compared"
CLASSES = (AGREES, NEGOTIATED, COMMITMENT, LIST_DIFFERS, UNCLEAR, NOT_BILLED, BILLED_ONLY, NOT_COMPARED)
"""In the order in which they are told."""
COMPARED = frozenset({AGREES, NEGOTIATED, COMMITMENT, LIST_DIFFERS})
RECONCILED = frozenset({AGREES, NEGOTIATED, COMMITMENT})
"""Those whose bill is explained: our price, less what was agreed on and committed to."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What the bill says of a resource. Months are the machine's running alone; None = not known. ``size`` is that of its last
    running hours, ``sizes`` how many there were; the two ``on_demand`` sums are what its hours without a commitment cost in the
    window by the invoice, and by what the bill calls effective."""

    list_usd_month: float | None
    contracted_usd_month: float | None
    effective_usd_month: float | None
    covered_hours: float | None
    committed_pct: float | None
    size: str | None
    sizes: int
    on_demand_billed_usd: float | None = None
    on_demand_effective_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """What we say of a resource: at list price, what is paid after the discounts of the settings, its size; None = not known.
    ``is_spot`` is what runs at prices that move."""

    list_usd_month: float | None
    paid_usd_month: float | None
    size: str | None
    created_at: datetime | None = None
    is_spot: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A class and its sentence, without a full stop."""

    kind: str
    sentence: str


def month(usd: float | None, hours: float | None, units: int = 1) -> float | None:
    """What ``units`` machines cost in a month, of which so many hours cost ``usd``; None where either is not known."""
    if usd is None or hours is None or hours <= 0:
        return None
    return usd / hours * MONTH_HOURS * units


def reconcile(
    ours: Ours | None, billed: Billed | None, reaches_to: datetime | None, tolerance_pct: float, *, is_whole: bool = True
) -> Finding:
    """How the two stand to each other. ``reaches_to`` is the end of the newest charge of the resource's account: None where no
    bill speaks of that account. Without ``is_whole`` some of the bill could not be read."""
    if ours is None:
        return Finding(BILLED_ONLY, "it is billed, and no inventory lists it")
    if billed is None:
        if not is_whole:
            return Finding(NOT_COMPARED, "it may be billed in a file that could not be read")
        return _not_billed(ours, reaches_to)
    if ours.is_spot:
        return Finding(NOT_COMPARED, "it runs at spot prices, which move")
    if billed.covered_hours is None:
        return Finding(NOT_COMPARED, "the bill does not say how many hours it ran")
    if billed.covered_hours <= 0:
        return Finding(NOT_COMPARED, "the bill has no hours of its running")
    if billed.sizes > 1:
        return Finding(NOT_COMPARED, "it was billed at more than one size")
    if billed.size is not None and ours.size is not None and billed.size != ours.size.lower():
        return Finding(NOT_COMPARED, "it was billed at another size than it has")
    if billed.covered_hours < MIN_HOURS:
        return Finding(NOT_COMPARED, f"fewer than {MIN_HOURS} hours of it are billed")
    if ours.list_usd_month is None or ours.paid_usd_month is None:
        return Finding(NOT_COMPARED, "our price of it is not known")
    bill, contracted, effective = billed.list_usd_month, billed.contracted_usd_month, billed.effective_usd_month
    if bill is None or contracted is None or effective is None:
        return Finding(NOT_COMPARED, "the bill leaves out one of its prices")

    def agree(one: float, other: float) -> bool:
        return abs(one - other) <= tolerance_pct / 100 * max(abs(one), abs(other))

    said = _contradiction(billed, contracted, effective, agree)
    if said is not None:
        return Finding(UNCLEAR, said)
    if not agree(bill, ours.list_usd_month):
        return Finding(LIST_DIFFERS, f"the bill's list price is {_apart(bill, ours.list_usd_month)} ours")
    if not agree(contracted, effective):
        share = "" if billed.committed_pct is None else f", which pay for {billed.committed_pct:.0f} % of its hours,"
        than = "contracted" if agree(bill, contracted) else f"contracted, and that {_apart(contracted, bill)} list"
        return Finding(COMMITMENT, f"with commitments{share} it costs {_apart(effective, contracted)} {than}")
    if agree(contracted, ours.paid_usd_month):
        return Finding(AGREES, "the bill and our price agree")
    told = f"contracted is {_apart(contracted, bill)} list, and our price {_apart(ours.paid_usd_month, ours.list_usd_month)} list"
    return Finding(NEGOTIATED, told)


def _not_billed(ours: Ours, reaches_to: datetime | None) -> Finding:
    if reaches_to is None:
        return Finding(NOT_COMPARED, "no bill speaks of its account in this time")
    if ours.created_at is not None and ours.created_at > reaches_to - LATE:
        return Finding(NOT_COMPARED, "it is younger than the bill")
    return Finding(NOT_BILLED, "it is listed, and the bill of its account has nothing of it")


def _contradiction(billed: Billed, contracted: float, effective: float, agree: Callable[[float, float], bool]) -> str | None:
    by_invoice, by_effect = billed.on_demand_billed_usd, billed.on_demand_effective_usd
    if by_invoice is not None and by_effect is not None and not agree(by_invoice, by_effect):
        return (
            f"the bill contradicts itself: hours without a commitment were invoiced at ${by_invoice:,.2f}, and their effective "
            f"cost is said to be ${by_effect:,.2f}"
        )
    if billed.committed_pct and contracted > 0 and effective <= 0:
        return "the bill contradicts itself: commitments pay for it, and their cost is not spread over it"
    if billed.committed_pct and contracted <= 0 < (billed.list_usd_month or 0):
        return "the bill contradicts itself: it has a list price and no contracted one"
    return None


def _apart(one: float, other: float) -> str:
    """one stands to other: ``12 % below``."""
    if other == 0:
        return "not comparable to"
    pct = (one / other - 1) * 100
    if abs(pct) < 0.05:
        return "equal to"
    return f"{abs(pct):.3g} % {'above' if pct > 0 else 'below'}"
