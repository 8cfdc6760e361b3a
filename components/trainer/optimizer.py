"""Row-sparse optimisation: a step costs, and changes, only the table rows that its batch touches.

tf_keras's Adagrad (Duchi et al. 2011) does so for sparse gradients; its Adam decays the moments of every
row at every step, and so moves rows that the batch never saw. Tables take Adagrad, dense layers Adam.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from components.trainer.pull import Pull

INITIAL_ACCUMULATOR = 0.1
ACCUMULATOR = "adagrad/accumulator:"
_MOMENTUM, _VELOCITY = "adam/momentum:", "adam/velocity:"
_STEPS = ("adagrad/iterations", "adam/iterations")


class RowSparse:
    """Adagrad for `tables`, if any, Adam for `dense`, and their slots as plain arrays by name."""

    def __init__(
        self,
        tables: Mapping[str, tf.Variable],
        dense: Mapping[str, tf.Variable],
        table_rate: float,
        dense_rate: float,
        slots: Mapping[str, np.ndarray],
        pull: Pull | None = None,
    ) -> None:
        """`slots`: what `slots()` returned for the base, grown as its tables; empty for a first model."""
        self._variables = [*tables.values(), *dense.values()]
        self._names = [*tables, *dense]
        self._pull = pull
        self._split = len(tables)
        self._adagrad = tf.keras.optimizers.Adagrad(table_rate, INITIAL_ACCUMULATOR)
        self._adam = tf.keras.optimizers.Adam(dense_rate)
        self._adagrad.build(list(tables.values()))
        self._adam.build(list(dense.values()))
        self._slots = {_STEPS[0]: self._adagrad.iterations, _STEPS[1]: self._adam.iterations}
        # Slots come last among an optimiser's variables, in the order in which `build` was given theirs;
        # Adam's lie in pairs.
        own = self._adagrad.variables[len(self._adagrad.variables) - len(tables) :]
        self._slots |= {ACCUMULATOR + name: slot for name, slot in zip(tables, own, strict=True)}
        pairs = self._adam.variables[-2 * len(dense) :]
        self._slots |= {_MOMENTUM + name: slot for name, slot in zip(dense, pairs[0::2], strict=True)}
        self._slots |= {_VELOCITY + name: slot for name, slot in zip(dense, pairs[1::2], strict=True)}
        for name, value in slots.items():
            self._slots[name].assign(value)

    def apply(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """One step of both optimisers."""
        gradients = list(zip(tape.gradient(loss, self._variables), self._variables, strict=True))
        # One machine learns: nothing is summed over replicas. The sum would be a custom gradient, which
        # TensorFlow registers for ever, with its graph: each learn of a process would leave megabytes behind.
        alone = {"skip_gradients_aggregation": True}
        if self._split:
            self._adagrad.apply_gradients(gradients[: self._split], **alone)
        self._adam.apply_gradients(gradients[self._split :], **alone)
        if self._pull:
            for name, (gradient, variable) in zip(self._names, gradients, strict=True):
                self._pull.apply(name, variable, gradient)

    def slots(self) -> dict[str, np.ndarray]:
        """Accumulators, momenta, velocities and iteration counters."""
        return {name: slot.numpy() for name, slot in self._slots.items()}


def fisher(slots: Mapping[str, np.ndarray], names: Iterable[str]) -> dict[str, np.ndarray]:
    """The mean squared gradient of each variable over the steps so far. slots: of a learned model."""
    steps = max(int(slots[_STEPS[0]]), 1)
    return {
        name: (slots[ACCUMULATOR + name] - INITIAL_ACCUMULATOR) / steps
        if ACCUMULATOR + name in slots
        else slots[_VELOCITY + name]
        for name in names
    }
