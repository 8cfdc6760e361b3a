"""What is served of the user tower's layers is their mean over the newest steps.

Adam takes a whole step from every few rows, so that dense weights wander about where they are going; their
mean does not (Polyak & Juditsky 1992). The mean is exponential, slow ← slow + (now - slow) / min(n, horizon)
after step n: the plain mean of the first steps, which then forgets (`use_ema` of Keras' optimisers). Learning
goes on from the last step's weights, which are kept among the slots of the model state. Tables are not
averaged: a row is touched seldom, and Adagrad's steps are small by then. Nor are the layers of items and
repeats: it did not pay. Costs a pass over these arrays a step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

RUNNING = "running:"
"""Prefix of an averaged array as of the last step, among the slots."""


def running(weights: Mapping[str, np.ndarray], slots: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights from which learning goes on: those of the last step where it was averaged."""
    return {name: slots.get(RUNNING + name, array) for name, array in weights.items()}


def of_optimizer(slots: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The slots without the weights of the last step."""
    return {name: array for name, array in slots.items() if not name.startswith(RUNNING)}


class Averages:
    """Means of `variables`, whose values are those of the last step, by their names."""

    def __init__(
        self, variables: Mapping[str, tf.Variable], served: Mapping[str, np.ndarray], horizon: int
    ) -> None:
        """served: the means so far, of more arrays than these too. horizon: steps; 1 averages nothing."""
        self._variables, self._horizon = (dict(variables) if horizon > 1 else {}), horizon
        self._means = {name: tf.Variable(served[name]) for name in self._variables}

    def add(self, steps: tf.Tensor) -> None:
        """The variables as they are after so many steps, float32 scalar, all learns together."""
        share = 1.0 / tf.minimum(steps, float(self._horizon))
        for name, mean in self._means.items():
            mean.assign_add(share * (self._variables[name] - mean))

    def served(self) -> dict[str, np.ndarray]:
        """The means."""
        return {name: mean.numpy() for name, mean in self._means.items()}

    def slots(self) -> dict[str, np.ndarray]:
        """The weights of the last step, as slots of the model state."""
        return {RUNNING + name: self._variables[name].numpy() for name in self._means}
