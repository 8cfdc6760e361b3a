"""Row-sparse optimisation: a step costs, and changes, only the table rows that its batch touches.

Adagrad (Duchi et al. 2011) does so for sparse gradients; Adam (Kingma & Ba 2015) decays the moments of every
row at every step, and so would move rows that the batch never saw. Tables take Adagrad, dense layers Adam.
Both are TensorFlow's own kernels, one operation a variable, where tf_keras's optimisers take a dozen each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from components.trainer.pull import Pull

INITIAL_ACCUMULATOR = 0.1
EPSILON = 1e-7
BETA_1, BETA_2 = 0.9, 0.999
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
        self._tables, self._dense = dict(tables), dict(dense)
        self._table_rate, self._dense_rate = table_rate, dense_rate
        self._pull = pull
        start: dict[str, np.ndarray | np.int64] = dict.fromkeys(_STEPS, np.int64(0))
        for name, variable in tables.items():
            start[ACCUMULATOR + name] = np.full(variable.shape, INITIAL_ACCUMULATOR, np.float32)
        for name, variable in dense.items():
            start |= {kind + name: np.zeros(variable.shape, np.float32) for kind in (_MOMENTUM, _VELOCITY)}
        if not slots.keys() <= start.keys():
            raise ValueError(f"slots of no variable: {', '.join(sorted(slots.keys() - start.keys()))}")
        self._slots = {name: tf.Variable(slots.get(name, value)) for name, value in start.items()}

    @property
    def steps(self) -> tf.Tensor:
        """How many steps there were, those of the base included: a float32 scalar."""
        return tf.cast(self._slots[_STEPS[1]], tf.float32)

    def apply(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """One step of both optimisers."""
        variables = {**self._tables, **self._dense}
        gradients = tape.gradient(loss, variables)
        self._adagrad({name: gradients[name] for name in self._tables})
        self._adam({name: gradients[name] for name in self._dense})
        if self._pull:
            for name, variable in variables.items():
                self._pull.apply(name, variable, gradients[name])

    def _adagrad(self, gradients: Mapping[str, tf.IndexedSlices | None]) -> None:
        self._slots[_STEPS[0]].assign_add(1)
        for name, gradient in gradients.items():
            if gradient is None:
                continue
            # A row that comes twice is one row with the sum of its gradients.
            rows, place = tf.unique(gradient.indices)
            tf.raw_ops.ResourceSparseApplyAdagradV2(
                var=self._tables[name].handle,
                accum=self._slots[ACCUMULATOR + name].handle,
                lr=self._table_rate,
                epsilon=EPSILON,
                grad=tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows)),
                indices=rows,
            )

    def _adam(self, gradients: Mapping[str, tf.Tensor | None]) -> None:
        step = tf.cast(self._slots[_STEPS[1]].assign_add(1), tf.float32)
        powers = {"beta1_power": tf.pow(BETA_1, step), "beta2_power": tf.pow(BETA_2, step)}
        for name, gradient in gradients.items():
            if gradient is None:
                continue
            tf.raw_ops.ResourceApplyAdam(
                var=self._dense[name].handle,
                m=self._slots[_MOMENTUM + name].handle,
                v=self._slots[_VELOCITY + name].handle,
                **powers,
                lr=self._dense_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )

    def slots(self) -> dict[str, np.ndarray]:
        """Accumulators, momenta, velocities and iteration counters."""
        return {name: slot.numpy() for name, slot in self._slots.items()}


def steps_of(slots: Mapping[str, np.ndarray]) -> int:
    """How many steps a model with these slots has learned."""
    return int(slots.get(_STEPS[0], 0))


def fisher(slots: Mapping[str, np.ndarray], names: Iterable[str]) -> dict[str, np.ndarray]:
    """The mean squared gradient of each variable over the steps so far. slots: of a learned model."""
    steps = max(steps_of(slots), 1)
    return {
        name: (slots[ACCUMULATOR + name] - INITIAL_ACCUMULATOR) / steps
        if ACCUMULATOR + name in slots
        else slots[_VELOCITY + name]
        for name in names
    }
