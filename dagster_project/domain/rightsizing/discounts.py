"""What is paid for a size: its list price less what was agreed on for its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from dagster_project.domain.rightsizing.shapes import Shapes

ANY = "*"
"""Stands for every family that is not named."""


@dataclass(frozen=True)
class Discounts:
    """Percent off list by family. ``by_account`` holds what single accounts pay otherwise: their own family comes before their
    own ``*``, and that before what holds for all."""

    by_family: Mapping[str, float] = field(default_factory=dict)
    by_account: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def pct(self, family: str | None, account_id: str | None = None) -> float:
        """What is off the list price of a family, in percent (0..95); of one that is not known, what holds for the rest."""
        for agreed in (self.by_account.get(account_id or "", {}), self.by_family):
            for name in (family, ANY):
                if name is not None and name in agreed:
                    return float(agreed[name])
        return 0.0

    def payer(self, account_id: str | None) -> str | None:
        """The account, where it pays otherwise than the rest; None for the rest."""
        return account_id if account_id in self.by_account else None

    def paid(self, shapes: Shapes, account_id: str | None = None) -> Shapes:
        """The sizes at what an account pays for them."""
        off = np.array([self.pct(family, account_id) for family in shapes.families], dtype=np.float64)
        if not off.any():
            return shapes
        return replace(shapes, usd_per_hour=shapes.usd_per_hour * (1 - off / 100))


LIST_PRICES = Discounts()
"""Nothing is off."""


def at_list(usd: float, pct: float) -> float:
    """The list price of what costs ``usd`` with ``pct`` percent off."""
    return usd / (1 - pct / 100) if pct else usd


def list_savings(now_usd: float, savings_usd: float, now_pct: float, then_pct: float) -> float:
    """What a change would save at list prices: from something that costs ``now_usd`` with ``now_pct`` percent off to something
    that costs ``savings_usd`` less with ``then_pct`` percent off. Money of any unit; all of it of the same."""
    if now_pct == then_pct:
        return at_list(savings_usd, now_pct)
    return at_list(now_usd, now_pct) - at_list(now_usd - savings_usd, then_pct)
