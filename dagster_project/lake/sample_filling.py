"""Fills what one source of samples does not have with what another one has, cell by cell.

The first source counts. Where it has a row in a slot of five minutes, cells that it does not know come from the second source's
row of that slot; a slot in which it has none gets the second one's row. A finer feed keeps its interval: volumes of five minutes
are spread over its rows. A feed that is coarser than five minutes stays as it is, because rows of two intervals in one day of a
resource could not be told apart afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS

SLOT_US = 300_000_000
_COARSE_US = 450_000_000
"""Feeds whose rows are never closer than this are coarser than five minutes: a clock may drift by less."""
_HALF_A_DAY_US = 43_200_000_000
_IS_VOLUME = np.array([metric.is_volume for metric in METRICS])
Records = NDArray[np.void]
"""Rows with ``code``, ``at_us`` and ``values`` (n, metrics), sorted by resource and time, each pair once."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Rows of both sources, sorted. ``codes`` are the resources in order; ``own`` and ``filled`` (resources, metrics) count the
    readings of each source."""

    records: Records
    codes: NDArray[np.int64]
    own: NDArray[np.int64]
    filled: NDArray[np.int64]


def fill(own: Records, other: Records, rank: NDArray[np.int64]) -> Filled:
    """Fills ``own`` with ``other``, whose rows lie on slots. ``rank`` is the position of a code in the order of resources."""
    codes = np.unique(np.concatenate([own["code"], other["code"]]).astype(np.int64))
    codes = codes[np.argsort(rank[codes], kind="stable")]
    place = np.empty(len(rank), np.int64)
    place[codes] = np.arange(len(codes))
    own_place, other_place = place[own["code"]], place[other["code"]]
    before = _counts(own_place, own["values"], len(codes))
    is_coarse, rows_of_slot = _intervals(own_place, own["at_us"], len(codes))
    other = other[~is_coarse[other_place]]
    other_place = place[other["code"]]

    slots = _slots(own_place, own["at_us"])
    keys, counts = np.unique(slots, return_counts=True)
    wanted = _slots(other_place, other["at_us"])
    # Rows of the first source take what they lack from the row of their slot.
    found = np.searchsorted(wanted, slots)
    hit = np.flatnonzero(found < len(wanted))
    hit = hit[wanted[found[hit]] == slots[hit]]
    share = 1 / counts[np.searchsorted(keys, slots[hit])]
    result = own.copy()
    values = result["values"]
    lacking = np.isnan(values[hit])
    given = other["values"][found[hit]]
    given = np.where(_IS_VOLUME, given * share[:, None], given)
    values[hit] = np.where(lacking, given, values[hit])
    # Slots that it does not have come as rows, at its own interval.
    position = np.searchsorted(keys, wanted)
    is_there = np.zeros(len(wanted), bool)
    inside = position < len(keys)
    is_there[inside] = keys[position[inside]] == wanted[inside]
    added = other[~is_there].copy()
    rows = rows_of_slot[other_place[~is_there]]
    added["values"] = np.where(_IS_VOLUME, added["values"] / rows[:, None], added["values"])

    together = np.concatenate([result, added])
    order = np.lexsort((together["at_us"], place[together["code"]]))
    together = together[order]
    after = _counts(place[together["code"]], together["values"], len(codes))
    return Filled(together, codes, before, after - before)


def _slots(places: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """A sortable number of resource and slot: slots since 1970 take less than 2^26."""
    return places * (1 << 26) + at_us // SLOT_US


def _intervals(
    places: NDArray[np.int64], at_us: NDArray[np.int64], resources: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of each resource whether its rows are coarser than five minutes, and how many rows it has in a slot, as a rule."""
    gaps = np.full(resources, np.iinfo(np.int64).max)
    if len(places) > 1:
        same = places[1:] == places[:-1]
        np.minimum.at(gaps, places[1:][same], (at_us[1:] - at_us[:-1])[same])
    rows = np.bincount(places, minlength=resources)
    # Rows that are far apart and few are what is left of a finer feed.
    is_coarse = (gaps >= _COARSE_US) & (rows > 1) & (rows >= _HALF_A_DAY_US / gaps)
    filled = np.bincount(np.unique(_slots(places, at_us)) >> 26, minlength=resources)
    return is_coarse, np.maximum(1.0, np.rint(rows / np.maximum(filled, 1)))


def _counts(places: NDArray[np.int64], values: NDArray[np.float32], resources: int) -> NDArray[np.int64]:
    counted = np.zeros((resources, len(METRICS)), np.int64)
    for metric in range(len(METRICS)):
        counted[:, metric] = np.bincount(places[~np.isnan(values[:, metric])], minlength=resources)
    return counted
