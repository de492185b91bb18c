"""The upper bound of next week's daily peaks: a structural time series (trend and weekly season) of statsmodels.

The library takes two seconds to import, so that only the function that needs it does.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

MIN_DAYS = 21
"""Three weeks: with fewer, a weekly season cannot be told from chance."""

DAYS_AHEAD = 7


def is_available() -> bool:
    """Whether the extra ``forecast`` is installed."""
    return find_spec("statsmodels") is not None


def upper_bound(daily_peaks: NDArray[np.float64], confidence: float = 0.95) -> float | None:
    """The highest upper bound of the next ``DAYS_AHEAD`` daily peaks, in their unit; NaN = a day without samples.

    Local linear trend and weekly season (Harvey 1989), two-sided interval of ``confidence``. None with fewer than
    ``MIN_DAYS`` days, and where the model finds no answer.
    """
    if np.isfinite(daily_peaks).sum() < MIN_DAYS:
        return None
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    scale = float(np.nanmax(np.abs(daily_peaks))) or 1.0
    model = UnobservedComponents(daily_peaks / scale, level="lltrend", seasonal=7)
    with warnings.catch_warnings():
        # That a fit did not quite converge is told by its interval, which is then wide.
        warnings.simplefilter("ignore")
        try:
            interval = np.asarray(model.fit(disp=False, maxiter=100).get_forecast(DAYS_AHEAD).conf_int(alpha=1 - confidence))
        except (np.linalg.LinAlgError, ValueError):
            return None
    bound = float(interval[:, 1].max())
    return bound * scale if np.isfinite(bound) else None
