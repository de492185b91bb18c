"""How much of what a night's proposals save is paid less at once, and how much commitments go on being paid for.

The model, which AWS's documentation describes: reservations of one size pay for that size, reservations of a family for what is
left of it in normalised units, an EC2 Instance Savings Plan for what is left of a family in a region, and Compute (or Database)
Savings Plans for what is left of everything, each up to its commitment. What is left then is on demand. Commitments are paid
whatever runs, so what a change saves in cash is by how much it lowers that rest: the first to fall is what is on demand.

Proposals share one rest. They are taken one after another, the one that saves most first, so that together they never claim more
than there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dagster_project.domain.rightsizing.commitments import (
    COMPUTE_PLAN,
    DATABASE_PLAN,
    EC2_PLAN,
    RESERVED,
    Commitment,
    Pool,
    Use,
    reserved_use,
)
from dagster_project.domain.rightsizing.discounts import at_list

ON_DEMAND, COMMITMENTS, NOT_READ, UNKNOWN = "on demand", "commitments", "not read", "unknown"
"""What is known of a saving's cash: no commitment pays for any of it; it was worked out; commitments were not read; or what a
commitment or the resource counts for is not known."""

_HOURS_PER_MONTH = 730
_NOTHING = 1e-6
"""USD a month below which money is the last digits of sums."""
_DATABASES = "db."

Family = tuple[str, str, str]
Everything = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Shrink:
    """A proposal: ``gone`` no longer runs, ``came`` does instead (None: nothing). ``savings_usd_month`` is as paid, and so is
    ``paid_pct``, percent of list that is paid for what is gone. ``gone`` is None where that is not known."""

    resource_id: str
    savings_usd_month: float
    gone: Use | None
    came: Use | None = None
    paid_pct: float = 100.0


@dataclass(frozen=True, slots=True)
class Cash:
    """``usd_month`` is paid less at once (below zero where something is left that nothing uses and something else must be paid
    for; None: not known), ``covered_pct`` of the saving is not, until ``from_on`` (None: never, or not known). ``basis`` is one
    of the constants above."""

    usd_month: float | None
    covered_pct: float | None
    from_on: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class Cover:
    """One commitment where it pays: ``use`` of a reservation, ``usd_per_hour`` (at list prices) of a plan. Neither: not known."""

    kind: str
    payer: str
    region: str | None
    family: str | None
    is_spread: bool
    use: Use | None
    usd_per_hour: float | None
    ends_on: date | None

    @property
    def is_known(self) -> bool:
        return (self.use is not None) if self.kind in RESERVED else (self.usd_per_hour is not None)

    def reaches(self, pool: Pool) -> bool:
        """Whether it may pay for something in a pool; of one that is not known, whether it might."""
        if pool.payer != self.payer:
            return False
        is_database = pool.family.startswith(_DATABASES)
        if self.kind in (COMPUTE_PLAN, DATABASE_PLAN):
            return is_database == (self.kind == DATABASE_PLAN)
        if (pool.region, pool.family) != (self.region, self.family):
            return False
        return self.kind == EC2_PLAN or self.use is None or self.use.pool == pool


def cover_of(commitment: Commitment, payer: str, plan_discount_pct: float) -> Cover:
    """A commitment where it pays; a plan's dollars as what they pay for at list prices, its rates being so many percent below."""
    is_plan = commitment.kind not in RESERVED
    paid = commitment.usd_per_hour if is_plan else None
    return Cover(
        kind=commitment.kind,
        payer=payer,
        region=commitment.region,
        family=commitment.family,
        is_spread=bool(commitment.is_size_flexible),
        use=None if is_plan else reserved_use(commitment, payer),
        usd_per_hour=None if paid is None else at_list(paid, plan_discount_pct),
        ends_on=None if commitment.ends_at is None else commitment.ends_at.date(),
    )


def cash_of(uses: Sequence[Use], covers: Sequence[Cover], shrinks: Sequence[Shrink]) -> dict[str, Cash]:
    """What each proposal of a night saves in cash, by resource. The order of the arguments changes nothing.

    ``uses`` is all that runs, with what the proposals speak of; ``covers`` are the commitments that pay today.
    """
    covers = sorted(covers, key=_order_of_cover)
    ranked = sorted(shrinks, key=lambda each: (-each.savings_usd_month, each.resource_id))
    pools = {use.pool for each in ranked for use in (each.gone, each.came) if use is not None}
    bases = {pool: _basis(covers, pool) for pool in pools}
    fleet = _Fleet(uses, [each.came for each in ranked if each.came is not None])
    found = _allocated(fleet, covers, ranked, bases)
    waiting = {name for name, cash in found.items() if cash.basis == COMMITMENTS and cash.covered_pct}
    for end in sorted({each.ends_on for each in covers if each.ends_on is not None}):
        if not waiting:
            break
        left = _allocated(fleet, [each for each in covers if each.ends_on is None or each.ends_on > end], ranked, bases)
        free = {name for name in waiting if not left[name].covered_pct}
        found.update({name: replace(found[name], from_on=end) for name in free})
        waiting -= free
    return found


def on_demand_usd_hour(uses: Iterable[Use], covers: Iterable[Cover]) -> float:
    """What is left for the on-demand bill at list prices (USD an hour)."""
    return _Bill(_Fleet(uses), covers).rest


def _basis(covers: Iterable[Cover], pool: Pool) -> str:
    near = [each for each in covers if each.reaches(pool)]
    return ON_DEMAND if not near else COMMITMENTS if all(each.is_known for each in near) else UNKNOWN


def _allocated(fleet: _Fleet, covers: Sequence[Cover], ranked: Sequence[Shrink], bases: Mapping[Pool, str]) -> dict[str, Cash]:
    bill = _Bill(fleet, covers)
    return {each.resource_id: _cash(each, bill, bases) for each in ranked}


def _cash(shrink: Shrink, bill: _Bill, bases: Mapping[Pool, str]) -> Cash:
    if shrink.gone is None:
        return Cash(None, None, None, UNKNOWN)
    moved = [(shrink.gone, -1), *([(shrink.came, 1)] if shrink.came is not None else [])]
    full = -sum(sign * bill.list_usd(use) for use, sign in moved)
    fell = -sum(bill.move(use, sign) for use, sign in moved)
    basis, savings = {bases[use.pool] for use, _ in moved}, shrink.savings_usd_month
    if UNKNOWN in basis:
        return Cash(None, None, None, UNKNOWN)
    if basis == {ON_DEMAND}:
        return Cash(savings, 0.0, None, ON_DEMAND)
    # Within one family the share that falls is exact whatever a size costs; beyond it, what stays paid is told at its own price.
    is_within = shrink.came is None or shrink.came.pool == shrink.gone.pool
    stays = (full - fell) * (savings / full if is_within and full > 0 else _HOURS_PER_MONTH * shrink.paid_pct / 100)
    if stays < _NOTHING:
        return Cash(savings, 0.0, None, COMMITMENTS)
    cash = savings - stays if abs(savings - stays) >= _NOTHING else 0.0
    return Cash(cash, min(100.0, 100 * stays / savings) if savings > 0 else 100.0, None, COMMITMENTS)


class _Fleet:
    """The units of each size that run in each pool, and the list price of a unit there: of what runs, or where nothing with a
    price does, of what is to come."""

    def __init__(self, uses: Iterable[Use], to_come: Iterable[Use] = ()) -> None:
        running = sorted(uses, key=_order_of_use)
        self.units: dict[Pool, dict[str, float]] = {}
        for use in running:
            sizes = self.units.setdefault(use.pool, {})
            sizes[use.size] = sizes.get(use.size, 0.0) + use.units
        self.price = {**_prices(to_come), **_prices(running)}


class _Bill:
    """What is left on demand while resources come and go, in USD an hour at list prices."""

    def __init__(self, fleet: _Fleet, covers: Iterable[Cover]) -> None:
        self._running = {pool: dict(sizes) for pool, sizes in fleet.units.items()}
        self._price = fleet.price
        self._one_size: dict[tuple[Pool, str], float] = {}
        self._spread: dict[Pool, float] = {}
        self._family_plan: dict[Family, float] = {}
        self._plan: dict[Everything, float] = {}
        self._families: dict[Family, float] = {}
        self._everything: dict[Everything, float] = {}
        for cover in covers:
            self._add(cover)
        self._left = {pool: self._uncovered(pool) for pool in self._running}
        for pool, left in self._left.items():
            self._families[_family(pool)] = self._families.get(_family(pool), 0.0) + left
        for family in self._families:
            everything = _everything(family)
            self._everything[everything] = self._everything.get(everything, 0.0) + self._after_plan(family)

    @property
    def rest(self) -> float:
        """All that is left on demand."""
        return sum(self._after_all(each) for each in self._everything)

    def list_usd(self, use: Use) -> float:
        """What a use costs at the prices of its pool, which is the same for each unit."""
        return use.units * self._price.get(use.pool, 0.0)

    def move(self, use: Use, sign: int) -> float:
        """Lets a use come (1) or go (-1); by how much the rest grows."""
        pool, family = use.pool, _family(use.pool)
        everything = _everything(family)
        before = self._after_all(everything)
        sizes = self._running.setdefault(pool, {})
        sizes[use.size] = max(0.0, sizes.get(use.size, 0.0) + sign * use.units)
        left = self._uncovered(pool)
        of_family = self._after_plan(family)
        self._families[family] = self._families.get(family, 0.0) + left - self._left.get(pool, 0.0)
        self._left[pool] = left
        self._everything[everything] = self._everything.get(everything, 0.0) + self._after_plan(family) - of_family
        return self._after_all(everything) - before

    def _add(self, cover: Cover) -> None:
        if cover.kind in RESERVED:
            if cover.use is not None and cover.is_spread:
                self._spread[cover.use.pool] = self._spread.get(cover.use.pool, 0.0) + cover.use.units
            elif cover.use is not None:
                key = (cover.use.pool, cover.use.size)
                self._one_size[key] = self._one_size.get(key, 0.0) + cover.use.units
        elif cover.usd_per_hour is not None and cover.kind == EC2_PLAN:
            family = (cover.payer, cover.region or "", cover.family or "")
            self._family_plan[family] = self._family_plan.get(family, 0.0) + cover.usd_per_hour
        elif cover.usd_per_hour is not None:
            everything = (cover.payer, cover.kind == DATABASE_PLAN)
            self._plan[everything] = self._plan.get(everything, 0.0) + cover.usd_per_hour

    def _uncovered(self, pool: Pool) -> float:
        left = sum(max(0.0, units - self._one_size.get((pool, size), 0.0)) for size, units in self._running.get(pool, {}).items())
        return max(0.0, left - self._spread.get(pool, 0.0)) * self._price.get(pool, 0.0)

    def _after_plan(self, family: Family) -> float:
        return max(0.0, self._families.get(family, 0.0) - self._family_plan.get(family, 0.0))

    def _after_all(self, everything: Everything) -> float:
        return max(0.0, self._everything.get(everything, 0.0) - self._plan.get(everything, 0.0))


def _prices(uses: Iterable[Use]) -> dict[Pool, float]:
    """The list price of a unit in each pool, over all that has one."""
    usd: dict[Pool, float] = {}
    units: dict[Pool, float] = {}
    for use in uses:
        if use.list_usd_per_hour is not None and use.units > 0:
            usd[use.pool] = usd.get(use.pool, 0.0) + use.list_usd_per_hour
            units[use.pool] = units.get(use.pool, 0.0) + use.units
    return {pool: usd[pool] / units[pool] for pool in usd}


def _order_of_use(use: Use) -> tuple[str, ...]:
    """Sums of floats depend on their order; that of the arguments must not matter."""
    pool = use.pool
    return pool.payer, pool.region, pool.family, pool.product, use.size, f"{use.units!r} {use.list_usd_per_hour!r}"


def _order_of_cover(cover: Cover) -> tuple[str, ...]:
    use = _order_of_use(cover.use) if cover.use is not None else ()
    return cover.kind, cover.payer, cover.region or "", cover.family or "", f"{cover.ends_on} {cover.usd_per_hour!r}", *use


def _family(pool: Pool) -> Family:
    return pool.payer, pool.region, pool.family


def _everything(family: Family) -> Everything:
    return family[0], family[2].startswith(_DATABASES)
