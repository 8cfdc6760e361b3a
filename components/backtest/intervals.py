"""Bootstrap over days or users: means over rows, and paired differences of two lines, with 95% intervals.

Rows of one day share its weather, prices and trends, those of a user their taste; so days, or users, are
drawn, not rows, and two lines that are compared keep the same draw (the paired cluster bootstrap; Davison &
Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """An estimate with its percentile interval; NaN where there is nothing to say."""

    estimate: float
    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        return bool(self.low <= 0 <= self.high)


NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def pooled(means: np.ndarray, rows: np.ndarray, resamples: int, seed: int) -> Interval:
    """Mean over rows of a metric of which `means` float [n] and `rows` int [n] are told by day, or by user.

    A difference of two lines is asked the same way, with the differences of their means.
    """
    told = ~np.isnan(means) & (rows > 0)
    if not told.any():
        return NOTHING
    sums, counts = (means * rows)[told], rows[told].astype(np.float64)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    return Interval(float(sums.sum() / counts.sum()), float(low), float(high))
