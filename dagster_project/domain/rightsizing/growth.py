"""Whether demand is on its way up, so that the past says too little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RISING_PCT = 10.0
_RECENT, _BEFORE = 7, 21


def is_rising(daily_peaks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Resources whose median daily peak of the last week is more than ``RISING_PCT`` above that of the three weeks before.

    ``daily_peaks`` (n, days), the newest day last, NaN = a day without samples. A forecast is worth its time only for these;
    medians, because one busy day is a peak, and peaks are guarded by themselves.
    """
    recent, before = daily_peaks[:, -_RECENT:], daily_peaks[:, -_RECENT - _BEFORE : -_RECENT]
    enough = (np.isfinite(recent).sum(axis=1) >= _RECENT // 2 + 1) & (np.isfinite(before).sum(axis=1) >= _RECENT)
    rising = np.zeros(len(daily_peaks), dtype=bool)
    if enough.any():
        now, then = np.nanmedian(recent[enough], axis=1), np.nanmedian(before[enough], axis=1)
        rising[enough] = now > then * (1 + RISING_PCT / 100)
    return rising
