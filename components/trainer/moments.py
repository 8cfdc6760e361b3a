"""Moving moments of numeric inputs: part of the model state, so that serving scales what training scaled.

With each learn the moments move with the values. An input x = (v - m) / d that becomes (v - m') / d' equals
x' · d' / d + (m' - m) / d: so the first layers take kernel · d' / d and bias + kernel · (m' - m) / d, and the
model's function does not move with its moments. This is exact for missing values, which keep their place, and
for values within the clip before and after; a value beyond it may enter and leave by what is cut off. Adam's
slots of these rows stay as they were. Costs a few vectors a learn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

DECAY = 0.99
"""What earlier values still weigh when a later learn adds its own."""
FLAT = 1e-4
"""A variance up to which a quantity counts as one that had a single value."""


@dataclass(frozen=True)
class Moments:
    """Weight, mean and variance of log-compressed values, sign(x)·log(1 + |x|)."""

    count: float = 0.0
    mean: float = 0.0
    variance: float = 1.0
    missing: float | None = None
    """The log-compressed value that a missing one stands for; None: the mean."""

    @property
    def deviation(self) -> float:
        return math.sqrt(self.variance + 1e-6)

    @property
    def varied(self) -> bool:
        """Whether there was more than one value."""
        return self.count > 0 and self.variance > FLAT

    @property
    def scaled_missing(self) -> float:
        """The input that a missing value is."""
        return 0.0 if self.missing is None else (self.missing - self.mean) / self.deviation

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
        kept = self.mean if self.missing is None else self.missing
        return Moments(count, mean, spread / count, kept if self.count else None)


FIRST_LAYERS = {"user": ("user/hidden", "user/skip"), "item": ("item/hidden",)}
"""Layers that read scaled quantities, each as its last inputs."""


def rescaled(
    weights: Mapping[str, np.ndarray],
    numbers: Mapping[str, Sequence[str]],
    before: Mapping[str, Moments],
    after: Mapping[str, Moments],
) -> dict[str, np.ndarray]:
    """The weights with first layers under which the moments `after` give the function of `before`.

    numbers: names of the quantities of `user` and `item`, in the order of the inputs. A quantity that had no
    value so far has nothing to keep. One that had a single value was 0 always, so that its kernel has learned
    nothing and is not scaled; a hundred times as large, it would be noise from the first other value on.
    """
    moved = dict(weights)
    for kind, layers in FIRST_LAYERS.items():
        keys = [f"{kind}:{name}" for name in numbers[kind]]
        pairs = [(before[key], after[key]) for key in keys]
        scale = np.array([new.deviation / old.deviation if old.varied else 1.0 for old, new in pairs])
        shift = np.array([(new.mean - old.mean) / new.deviation if old.count else 0.0 for old, new in pairs])
        for layer in layers if keys else ():
            kernel = moved[f"{layer}/kernel"].astype(np.float64)
            kernel[-len(keys) :] *= scale[:, None]
            bias = moved[f"{layer}/bias"] + shift @ kernel[-len(keys) :]
            moved |= {f"{layer}/kernel": kernel.astype(np.float32), f"{layer}/bias": bias.astype(np.float32)}
    return moved
