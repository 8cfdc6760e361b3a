"""Pull toward the base: a quadratic penalty on leaving the weights from which a later learn starts.

L2: L + α/2 · Σ (θ − θ_base)². Elastic weight consolidation: L + α/2 · Σ F · (θ − θ_base)², with the diagonal
Fisher information F (Kirkpatrick et al., PNAS 2017). F is taken as the mean squared gradient of the steps so
far, which the optimiser carries in the model state anyway: Adagrad's accumulators of tables, Adam's
velocities of dense layers; it costs nothing more (an online form as in Schwarz et al., ICML 2018).

The penalty is taken by its proximal operator after each step, θ ← θ_base + (θ − θ_base) / (1 + rate · α · F)
(Parikh & Boyd 2014, section 6.1.1): stable for any α, and whole as α goes to infinity. Only table rows that
the step touched are pulled: a few reads and a write a touched row, and a copy of the tables.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


class Pull:
    """Anchors and strengths by the variables' names in the model state."""

    def __init__(self, base: Mapping[str, np.ndarray], strengths: Mapping[str, np.ndarray]) -> None:
        """strengths: rate · α · F, float32, of the array's shape or a scalar."""
        self._base = {name: tf.constant(array) for name, array in base.items()}
        self._strengths = {
            name: tf.constant(np.broadcast_to(strength, base[name].shape), tf.float32)
            for name, strength in strengths.items()
        }

    def apply(self, name: str, variable: tf.Variable, gradient: tf.Tensor | tf.IndexedSlices | None) -> None:
        """Pulls what the step with this gradient has moved."""
        if gradient is None:
            return
        base, strength = self._base[name], self._strengths[name]
        if isinstance(gradient, tf.IndexedSlices):
            rows = tf.unique(gradient.indices)[0]
            near = _nearer(*(tf.gather(one, rows) for one in (variable, base, strength)))
            variable.scatter_update(tf.IndexedSlices(near, rows))
        else:
            variable.assign(_nearer(variable, base, strength))


def _nearer(now: tf.Tensor, base: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    return base + (now - base) / (1.0 + strength)


def l2(names: Mapping[str, float], alpha: float) -> dict[str, np.ndarray]:
    """Strengths of the L2 penalty. names: every variable with its rate."""
    return {name: np.array(rate * alpha, np.float32) for name, rate in names.items()}


def ewc(names: Mapping[str, float], fisher: Mapping[str, np.ndarray], alpha: float) -> dict[str, np.ndarray]:
    """Strengths of elastic weight consolidation. fisher: what `optimizer.fisher` returns."""
    return {name: (rate * alpha * fisher[name]).astype(np.float32) for name, rate in names.items()}
