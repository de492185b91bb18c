"""How a catalog of sizes and prices differs from the one before it, and whether so much is lost that it may be a mistake."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

MOST_LOST = 0.05
"""The share of the sizes or prices of a region that may be gone at once."""
FAR = 0.30
MOST_MOVED_FAR = 0.05
"""The share of the prices of a region that may move by more than ``FAR`` at once, either way."""

EC2, RDS = "EC2", "RDS"


@dataclass(frozen=True)
class Move:
    """A price that changed, in USD an hour. ``engine`` is None for EC2."""

    name: str
    engine: str | None
    before: float
    now: float

    @property
    def share(self) -> float:
        """How far it moved: 0.1 is 10 % up."""
        return self.now / self.before - 1


@dataclass(frozen=True)
class Market:
    """What changed in one region of EC2 or RDS: ``sizes`` that are on offer, and ``prices`` that can be trusted, of which
    ``compared`` were there before, too. Names of prices of RDS are ``class engine``."""

    region: str
    service: str
    sizes_before: int
    sizes: int
    new_sizes: tuple[str, ...]
    gone_sizes: tuple[str, ...]
    prices_before: int
    prices: int
    new_prices: tuple[str, ...]
    gone_prices: tuple[str, ...]
    moved: tuple[Move, ...]
    compared: int
    findings: tuple[str, ...]

    @property
    def objections(self) -> tuple[str, ...]:
        """Why it should not be believed, a sentence each."""
        what = "instance types" if self.service == EC2 else "database classes"
        far = sum(abs(each.share) > FAR for each in self.moved)
        found = []
        if len(self.gone_sizes) > MOST_LOST * self.sizes_before:
            found.append(f"{self.region} would lose {_of(len(self.gone_sizes), self.sizes_before)} {what}.")
        if len(self.gone_prices) > MOST_LOST * self.prices_before:
            found.append(f"{self.region} would lose {_of(len(self.gone_prices), self.prices_before)} prices of {self.service}.")
        if far > MOST_MOVED_FAR * self.compared:
            moved = _of(far, self.compared)
            found.append(f"{self.region}: {moved} prices of {self.service} would move by more than {100 * FAR:.0f} %.")
        return tuple(found)


@dataclass(frozen=True)
class Changed:
    """A limit or another property of a size that changed."""

    name: str
    column: str
    before: Any
    now: Any


@dataclass(frozen=True)
class Diff:
    """``earlier`` is the day of the catalog that is compared with, None for the shipped one. ``notes`` as ``merged.Tables``."""

    day: date
    earlier: date | None
    markets: tuple[Market, ...]
    new_types: tuple[str, ...]
    changed_types: tuple[Changed, ...]
    new_classes: tuple[str, ...]
    changed_classes: tuple[Changed, ...]
    notes: tuple[str, ...]

    @property
    def objections(self) -> tuple[str, ...]:
        """Why it should not be believed, a sentence each; none: nothing speaks against it."""
        return tuple(sentence for market in self.markets for sentence in market.objections)

    def to_json(self, **more: Any) -> str:
        """One JSON object, with ``more`` beside the fields."""
        markets = [{**asdict(each), "objections": each.objections} for each in self.markets]
        whole = {**asdict(self), "markets": markets, "objections": self.objections, **more}
        return json.dumps(whole, indent=1, sort_keys=True, default=str, ensure_ascii=False)


def _of(count: int, all_of: int) -> str:
    return f"{count:,} of {all_of:,} ({100 * count / all_of:.0f} %)"
