"""Where the bins of histograms lie, for each kind of metric.

Kept apart from the arithmetic, because table contracts name metrics and must be cheap to import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 301
"""Bins of every layout: one up to the floor, 300 above it."""


@dataclass(frozen=True)
class Layout:
    """Where the bins of one kind of metric lie. ``floor`` is in the metric's unit, ``relative_error`` a fraction."""

    name: str
    floor: float
    relative_error: float

    @property
    def gamma(self) -> float:
        """Ratio between the upper edges of neighbouring bins."""
        return (1 + self.relative_error) / (1 - self.relative_error)

    @property
    def ceiling(self) -> float:
        """Upper edge of the last bin; larger values are counted in it and lose the error bound."""
        return self.floor * self.gamma ** (BINS - 1)

    def bin_of(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Bin of every value (any shape, finite, ≥ 0): 0 up to the floor, then one for each factor ``gamma``."""
        import numpy as np

        above = np.maximum(values.astype(np.float64) / self.floor, 1.0)
        bins = np.ceil(np.log(above) / math.log(self.gamma) - 1e-9).astype(np.int64)
        return np.minimum(bins, BINS - 1)

    def estimates(self) -> NDArray[np.float64]:
        """The value that stands for each bin, shape (BINS,): the one with the smallest relative error over the bin."""
        import numpy as np

        centres = 2 * self.floor * self.gamma ** np.arange(BINS, dtype=np.float64) / (self.gamma + 1)
        centres[0] = self.floor / 2
        return centres


PERCENT = Layout("percent", floor=1.0, relative_error=0.01)
VOLUME = Layout("volume", floor=1000.0, relative_error=0.04)
COUNTS = Layout("counts", floor=1.0, relative_error=0.04)
