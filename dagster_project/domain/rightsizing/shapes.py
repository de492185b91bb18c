"""The sizes that can be had at one place: capacities, prices, and which may stand in for which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, MEMORY

_GENERAL_PURPOSE = re.compile(r"^(db\.)?[cmr]\d")
_FLEX = "-flex"


@dataclass(frozen=True)
class Shapes:
    """The sizes on offer in one region (and, for databases, for one engine).

    Arrays have one entry per size. ``capacity`` (n, 5) holds what a size sustains for ever, in the units of
    ``DIMENSIONS`` (network and disk: the baseline, never the burst maximum); NaN where it is not known. ``usd_per_hour`` is
    NaN where there is no price that can be trusted. ``driver`` names what a guest needs to boot there (hypervisor,
    network and disk interface), ``local_disk_gb`` is 0 without a local disk, ``burst_baseline_pct`` NaN unless burstable.
    """

    names: Sequence[str]
    families: Sequence[str]
    architectures: Sequence[str]
    drivers: Sequence[str]
    capacity: NDArray[np.float64]
    usd_per_hour: NDArray[np.float64]
    interfaces: NDArray[np.float64]
    volumes: NDArray[np.float64]
    local_disk_gb: NDArray[np.float64]
    burst_baseline_pct: NDArray[np.float64]
    is_current_generation: NDArray[np.bool_]
    is_bare_metal: NDArray[np.bool_]
    is_accelerated: NDArray[np.bool_]
    price_quality: Sequence[str | None] = field(default=())
    price_source: Sequence[str | None] = field(default=())
    price_as_of: Sequence[str | None] = field(default=())

    def __post_init__(self) -> None:
        size = len(self.names)
        if self.capacity.shape != (size, len(DIMENSIONS)):
            raise ValueError(f"capacity of {size} sizes has the shape {self.capacity.shape}")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    def number_of(self, name: str | None) -> int:
        """Position of a size, -1 where it is not on offer here."""
        return self._numbers.get(name, -1) if name is not None else -1

    @cached_property
    def _is_general(self) -> NDArray[np.bool_]:
        return np.array(
            [
                bool(_GENERAL_PURPOSE.match(family)) and _FLEX not in family and new
                for family, new in zip(self.families, self.is_current_generation, strict=True)
            ],
            dtype=bool,
        )

    @cached_property
    def _family_codes(self) -> NDArray[np.int64]:
        return _codes(self.families)

    @cached_property
    def _fitting_codes(self) -> NDArray[np.int64]:
        # What was built for one of these must run on the other.
        return _codes([f"{arch}/{driver}" for arch, driver in zip(self.architectures, self.drivers, strict=True)])

    def candidates(self, present: int, target: str) -> NDArray[np.int64]:
        """Sizes that could stand in for ``present`` and cost less, cheapest first.

        ``target`` is ``cheapest`` (any general-purpose size of the present architecture), ``family`` (the present family
        only) or ``one-step`` (the next smaller size of the family). Equal prices are ordered by more memory, then more CPU,
        then name, so that the choice never depends on the order of the catalog.
        """
        same_family = self._family_codes == self._family_codes[present]
        possible = (
            (self._fitting_codes == self._fitting_codes[present])
            & ~self.is_bare_metal
            & ~self.is_accelerated
            & ~(self.local_disk_gb > 0)
            & (self.usd_per_hour < self.usd_per_hour[present])
        )
        if target == "cheapest":
            possible &= same_family | (self._is_general & np.isnan(self.burst_baseline_pct))
        else:
            possible &= same_family
        found = np.flatnonzero(possible)
        order = sorted(
            found, key=lambda i: (self.usd_per_hour[i], -self.capacity[i, MEMORY], -self.capacity[i, CPU], self.names[i])
        )
        if target == "one-step":
            smaller = [i for i in order if self.is_smaller(i, present)]
            order = smaller[-1:]
        return np.array(order, dtype=np.int64)

    def is_smaller(self, candidate: int, present: int) -> bool:
        """Whether a size has less of something than the present one and more of neither CPU nor memory."""
        mine, other = self.capacity[candidate], self.capacity[present]
        return bool((mine[:2] <= other[:2]).all() and (mine[:2] < other[:2]).any())


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
