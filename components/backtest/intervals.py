"""Bootstrap over days or users: means over rows, and paired differences of two lines, with 95% intervals.

Rows of one day share its weather, prices and trends, those of a user their taste; so days, or users, are
drawn, not rows, and two lines that are compared keep the same draw (the paired cluster bootstrap; Davison &
Hinkley 1997, section 3.8). Of few days percentiles are too narrow, so that these are expanded as Student's t
is wider than the normal distribution (Hesterberg, "What Teachers Should Know About the Bootstrap", The
American Statistician 2015); of fewer than `LEAST` nothing can be said.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats  # type: ignore[import-untyped]


class Interval(NamedTuple):
    """An estimate with its interval; NaN where there is nothing to say, in the bounds where too little is."""

    estimate: float
    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        return bool(self.low <= 0 <= self.high)


LEAST = 5
"""Days, or users, below which there is no interval."""
NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def pooled(means: np.ndarray, rows: np.ndarray, resamples: int, seed: int) -> Interval:
    """Mean over rows of a metric of which `means` float [n] and `rows` int [n] are told by day, or by user.

    A difference of two lines is asked the same way, with the differences of their means.
    """
    told = ~np.isnan(means) & (rows > 0)
    if not told.any():
        return NOTHING
    sums, counts = (means * rows)[told], rows[told].astype(np.float64)
    estimate = float(sums.sum() / counts.sum())
    if len(sums) < LEAST:
        return Interval(estimate, float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    tail = 100 * _tail(len(sums))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [tail, 100 - tail])
    return Interval(estimate, float(low), float(high))


def _tail(size: int) -> float:
    """What lies beyond either bound of a sample's expanded 95% interval: 2.5% of a large one, less of few."""
    return float(stats.norm.cdf(math.sqrt(size / (size - 1)) * stats.t.ppf(0.025, size - 1)))
