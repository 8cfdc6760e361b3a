"""Training steps as a `tf.data` pipeline: what `Steps` does in NumPy, in TensorFlow's operations."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer.steps import UNKNOWN_HOURS, Steps
from components.trainer.trends import TrendTable
from components.trainer.vocabulary import UNKNOWN

Tensors = dict[str, tf.Tensor]


def dataset(steps: Steps, trends: TrendTable, seed: int) -> tf.data.Dataset:
    """Every row once a pass, shuffled, `batch_rows` at a time, made ahead in parallel."""
    batch = Batch(steps, trends, seed)
    order = tf.data.Dataset.range(steps.rows).shuffle(steps.rows, seed)
    return order.batch(steps.config.batch_rows).map(batch, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


class Batch:
    """The inputs of `TwoTower.compute_loss` for rows by their numbers."""

    def __init__(self, steps: Steps, trends: TrendTable, seed: int = 0) -> None:
        self.steps, self.trends, self.seed = steps, trends, seed
        self.history = {
            name: tf.RaggedTensor.from_row_splits(values, steps.histories.bounds)
            for name, values in steps.histories.flat().items()
        }
        self.taken = tf.RaggedTensor.from_row_splits(steps.positions, steps.bounds)
        self.weight = tf.RaggedTensor.from_row_splits(steps.weights, steps.bounds)
        self.every = np.arange(steps.rows)
        self.days = tf.constant(trends.days(steps.spans))

    def __call__(self, rows: tf.Tensor) -> Tensors:
        steps, size = self.steps, len(self.steps.catalogue.ids) - 1
        uniform = tf.random.uniform([steps.config.uniform_negatives], 1, size + 1, tf.int32, self.seed)
        batch = self.of(rows, uniform)
        forgotten = ("user", "user_categories", "item", "item_categories", "behavior")
        batch |= {name: self._forget(batch[name], steps.config.unknown_rate) for name in forgotten}
        return batch | {"hour": self._forget(batch["hour"], UNKNOWN_HOURS)}

    def of(self, rows: tf.Tensor, uniform: tf.Tensor) -> Tensors:
        """Nothing is forgotten. rows: int64 [n]; uniform: int32 [m], drawn catalogue positions."""
        catalogue, users = self.steps.catalogue, self.steps.users
        past = {name: tf.gather(one, rows) for name, one in self.history.items()}
        lengths = past["history"].row_lengths()
        mask = tf.sequence_mask(lengths)
        taken, weight = tf.gather(self.taken, rows), tf.gather(self.weight, rows).flat_values
        owner, positive = tf.cast(taken.value_rowids(), tf.int32), taken.flat_values
        candidates = tf.unique(tf.sort(tf.concat([positive, uniform], 0)))[0]
        distinct = tf.unique(tf.sort(tf.concat([candidates, past["history"].flat_values], 0)))[0]
        padded = {name: one.to_tensor() for name, one in past.items()}
        own = (tf.gather(padded["history"], owner) == positive[:, None]) & tf.gather(mask, owner)
        repeated = tf.reduce_any(own, 1)
        of_history = tf.where(repeated, tf.argmax(tf.cast(own, tf.int32), 1, tf.int32), 0)
        of_shared = tf.searchsorted(candidates, positive)
        return {
            **padded,
            **{name: tf.gather(values, rows) for name, values in users.of(self.every).items()},
            "history_mask": mask,
            "history": tf.where(mask, _places(distinct, padded["history"]), 0),
            "history_weight": _scatter(owner, of_history, tf.where(repeated, weight, 0.0), tf.shape(mask)),
            "candidate": tf.searchsorted(distinct, candidates),
            "candidate_weight": _scatter(
                owner, of_shared, tf.where(repeated, 0.0, weight), [len_(rows), len_(candidates)]
            ),
            "candidate_excluded": self._shared(past["history"], candidates, rows),
            "inclusion": self._inclusion(candidates, rows, uniform),
            "item": tf.gather(catalogue.ids, distinct),
            "item_categories": tf.gather(catalogue.categories, distinct),
            "item_numbers": tf.gather(catalogue.numbers, distinct),
            "candidate_trend": self.trends.of(tf.gather(self.days, rows), candidates[None]),
            "history_trend": self.trends.of(tf.gather(self.days, rows), padded["history"]),
        }

    def _shared(self, history: tf.RaggedTensor, candidates: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """bool [rows, candidates]: the candidate is in the row's history."""
        place = tf.minimum(tf.searchsorted(candidates, history.flat_values), len_(candidates) - 1)
        same = tf.gather(candidates, place) == history.flat_values
        owner = tf.cast(history.value_rowids(), tf.int32)
        shape = [len_(rows), len_(candidates)]
        return _scatter(owner, place, tf.cast(same, tf.float32), shape) > 0

    def _inclusion(self, candidates: tf.Tensor, rows: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """As `steps.inclusion`."""
        share = tf.cast(len_(rows) - 1, tf.float64) / max(self.steps.rows - 1, 1)
        takers = tf.cast(tf.gather(self.steps.takers, candidates), tf.float64)
        draws, items = tf.cast(len_(uniform), tf.float64), len(self.steps.catalogue.ids) - 1
        absent = (1.0 - share) ** takers * (1.0 - 1.0 / items) ** draws
        return tf.cast(1.0 - absent, tf.float32)

    def _forget(self, ids: tf.Tensor, rate: float) -> tf.Tensor:
        return tf.where(tf.random.uniform(tf.shape(ids), seed=self.seed) < rate, UNKNOWN, ids)


def len_(tensor: tf.Tensor) -> tf.Tensor:
    return tf.shape(tensor)[0]


def _places(ordered: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.searchsorted(ordered, tf.reshape(values, [-1])), tf.shape(values))


def _scatter(row: tf.Tensor, column: tf.Tensor, values: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    return tf.scatter_nd(tf.stack([row, column], 1), values, shape)
