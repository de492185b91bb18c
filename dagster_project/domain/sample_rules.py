"""Which utilization rows cannot be right. A row with one impossible value is rejected whole and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.layouts import PERCENT
from dagster_project.domain.metrics import METRICS

MAX_VOLUME = 1e14
"""Largest reading of a metric that is not a percentage: 10^14 bytes in five minutes would be 2.7 Tbit/s."""


@dataclass(frozen=True)
class Rejection:
    """Rows of one resource that were set aside for one reason.

    ``code`` is the resource's number in the batch, ``column`` the metric (empty where the row as a whole is wrong),
    ``first_at_us`` the earliest sample, ``example`` that sample's value as text.
    """

    reason: str
    code: int
    column: str
    rows: int
    first_at_us: int
    example: str


@dataclass(frozen=True)
class SampleRules:
    """The bounds of a run: the highest CPU or memory reading (percent), and the present moment (µs since 1970)."""

    max_utilization_pct: float
    now_us: int

    def upper_bounds(self) -> NDArray[np.float64]:
        """Largest possible value of each metric, in the order of ``METRICS``.

        Memory may exceed 100 % like CPU does: a reading can refer to an earlier, smaller size, and to drop the highest demand
        would be the unsafe mistake.
        """
        return np.array([self.max_utilization_pct if metric.layout is PERCENT else MAX_VOLUME for metric in METRICS])

    def rejections(
        self, codes: NDArray[np.integer], at_us: NDArray[np.int64], suspect: NDArray[np.integer], values: NDArray[np.float64]
    ) -> Iterator[Rejection]:
        """Explains the rows at ``suspect``, whose ``values`` (len(suspect), metrics; unknown = +inf) hold what is wrong.

        The first column that is wrong names the reason, so a row counts once.
        """
        upper = self.upper_bounds()
        known = values != np.inf
        checks = (
            ("nan", np.isnan(values)),
            ("negative", known & (values < 0)),
            ("impossible_value", known & (values > upper)),
        )
        left = np.ones(len(suspect), dtype=bool)
        for reason, wrong in checks:
            for column in range(values.shape[1]):
                hit = np.flatnonzero(left & wrong[:, column])
                left[hit] = False
                rows = suspect[hit]
                yield from _grouped(reason, METRICS[column].name, codes[rows], at_us[rows], values[hit, column])
        rows = suspect[np.flatnonzero(left & (at_us[suspect] > self.now_us))]
        yield from _grouped("future_timestamp", "", codes[rows], at_us[rows], None)


def _grouped(
    reason: str, column: str, codes: NDArray[np.integer], at_us: NDArray[np.int64], values: NDArray[np.float64] | None
) -> Iterator[Rejection]:
    for code in np.unique(codes):
        mine = np.flatnonzero(codes == code)
        first = mine[at_us[mine].argmin()]
        # The reader of samples hands infinity over as the largest number, because +inf means unknown here.
        example = "" if values is None else "inf" if values[first] == np.finfo(np.float64).max else f"{values[first]:g}"
        yield Rejection(reason, int(code), column, len(mine), int(at_us[first]), example)
