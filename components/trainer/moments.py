"""Moving moments of numeric inputs: part of the model state, so that serving scales what training scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DECAY = 0.99
"""What earlier values still weigh when a later learn adds its own."""


@dataclass(frozen=True)
class Moments:
    """Weight, mean and variance of log-compressed values, sign(x)·log(1 + |x|)."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 1.0

    def update(self, values: np.ndarray) -> Moments:
        """The moments after `values` [n], without NaN (missing); pooled as by Chan et al. (1979)."""
        present = values[np.isfinite(values)].astype(np.float64)
        if not len(present):
            return self
        present = np.sign(present) * np.log1p(np.abs(present))
        before, added = self.count * DECAY, float(len(present))
        count = before + added
        delta = float(present.mean()) - self.mean
        mean = self.mean + delta * added / count
        spread = self.variance * before + float(present.var()) * added + delta**2 * before * added / count
        return Moments(count, mean, spread / count)
