"""Row-sparse optimisation: a step costs, and changes, only the table rows that its batch touches.

tf_keras's Adagrad (Duchi et al. 2011) does so for sparse gradients; its Adam decays the moments of every
row at every step, and so moves rows that the batch never saw. Tables take Adagrad, dense layers Adam.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

INITIAL_ACCUMULATOR = 0.1
ACCUMULATOR = "adagrad/accumulator:"
_MOMENTUM, _VELOCITY = "adam/momentum:", "adam/velocity:"
_STEPS = ("adagrad/iterations", "adam/iterations")


class RowSparse:
    """Adagrad for `tables`, Adam for `dense`, and their slots as plain arrays by name."""

    def __init__(
        self,
        tables: Mapping[str, tf.Variable],
        dense: Mapping[str, tf.Variable],
        table_rate: float,
        dense_rate: float,
        slots: Mapping[str, np.ndarray],
    ) -> None:
        """`slots`: what `slots()` returned for the base, grown as its tables; empty for a first model."""
        self._variables = [*tables.values(), *dense.values()]
        self._split = len(tables)
        self._adagrad = tf.keras.optimizers.Adagrad(table_rate, INITIAL_ACCUMULATOR)
        self._adam = tf.keras.optimizers.Adam(dense_rate)
        self._adagrad.build(list(tables.values()))
        self._adam.build(list(dense.values()))
        self._slots = {_STEPS[0]: self._adagrad.iterations, _STEPS[1]: self._adam.iterations}
        # Slots come last among an optimiser's variables, in the order in which `build` was given theirs;
        # Adam's lie in pairs.
        own = self._adagrad.variables[-len(tables) :]
        self._slots |= {ACCUMULATOR + name: slot for name, slot in zip(tables, own, strict=True)}
        pairs = self._adam.variables[-2 * len(dense) :]
        self._slots |= {_MOMENTUM + name: slot for name, slot in zip(dense, pairs[0::2], strict=True)}
        self._slots |= {_VELOCITY + name: slot for name, slot in zip(dense, pairs[1::2], strict=True)}
        for name, value in slots.items():
            self._slots[name].assign(value)

    def apply(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """One step of both optimisers."""
        gradients = list(zip(tape.gradient(loss, self._variables), self._variables, strict=True))
        self._adagrad.apply_gradients(gradients[: self._split])
        self._adam.apply_gradients(gradients[self._split :])

    def slots(self) -> dict[str, np.ndarray]:
        """Accumulators, momenta, velocities and iteration counters."""
        return {name: slot.numpy() for name, slot in self._slots.items()}
