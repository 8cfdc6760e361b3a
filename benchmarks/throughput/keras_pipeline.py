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
        self.spans = tf.constant(steps.spans, tf.int32)
        self.first, self.last = tf.constant(steps.catalogue.first), tf.constant(steps.catalogue.last)

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
        ragged = {name: tf.gather(one, rows) for name, one in self.history.items()}
        past = {name: one.flat_values for name, one in ragged.items()}
        whose = tf.cast(ragged["history"].value_rowids(), tf.int32)
        taken, weight = tf.gather(self.taken, rows), tf.gather(self.weight, rows).flat_values
        owner, positive = tf.cast(taken.value_rowids(), tf.int32), taken.flat_values
        candidates = tf.unique(tf.sort(tf.concat([positive, uniform], 0)))[0]
        # Of what comes twice the first place counts: the candidates', then the others' in their order.
        others = tf.sort(past["history"])
        distinct, places = tf.unique(tf.concat([candidates, others, past["history"]], 0))
        history = places[len_(candidates) + len_(others) :]
        of_shared = tf.searchsorted(candidates, positive)
        shape = [len_(rows), len_(candidates)]
        # 1 + the entry of the row's history that a candidate is, 0 if it is none.
        number = tf.where(history < shape[1], tf.range(1, len_(whose) + 1), 0)
        entry = tf.scatter_nd(tf.stack([whose, tf.minimum(history, shape[1] - 1)], 1), number, shape)
        of_history = tf.gather_nd(entry, tf.stack([owner, of_shared], 1)) - 1
        repeated, fresh = (tf.where(one)[:, 0] for one in (of_history >= 0, of_history < 0))
        taken_there = tf.gather(tf.stack([owner, of_shared], 1), fresh)
        excluded = (entry > 0) | self._absent(candidates, rows)
        day, day_of = tf.unique(tf.gather(self.days, rows))
        trends = {"day": day, "day_of": day_of, "owner": whose, "history_position": past["history"]}
        return {
            **past,
            **{name: tf.gather(values, rows) for name, values in users.of(self.every).items()},
            "owner": whose,
            "history": history,
            "history_weight": tf.scatter_nd(
                tf.gather(of_history, repeated)[:, None], tf.gather(weight, repeated), tf.shape(whose)
            ),
            "positive": taken_there,
            "positive_weight": tf.gather(weight, fresh),
            "candidate_excluded": tf.tensor_scatter_nd_update(
                excluded, taken_there, tf.fill([len_(fresh)], True)
            ),
            "inclusion": self._inclusion(candidates, rows, uniform),
            "item": tf.gather(catalogue.ids, distinct),
            "item_categories": tf.gather(catalogue.categories, distinct),
            "item_numbers": tf.gather(catalogue.numbers, distinct),
            "day_of": day_of,
            **self.trends.of_step({**trends, "candidate_position": candidates}),
        }

    def _inclusion(self, candidates: tf.Tensor, rows: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """As `steps.inclusion`."""
        share = tf.cast(len_(rows) - 1, tf.float64) / max(self.steps.rows - 1, 1)
        takers = tf.cast(tf.gather(self.steps.takers, candidates), tf.float64)
        draws, items = tf.cast(len_(uniform), tf.float64), len(self.steps.catalogue.ids) - 1
        absent = (1.0 - share) ** takers * (1.0 - 1.0 / items) ** draws
        return tf.cast(1.0 - absent, tf.float32)

    def _absent(self, candidates: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """As `Catalogue.absent`."""
        day = tf.gather(self.spans, rows)[:, None]
        first, last = (tf.gather(one, candidates) for one in (self.first, self.last))
        return (day < first) | (day > last)

    def _forget(self, ids: tf.Tensor, rate: float) -> tf.Tensor:
        return tf.where(tf.random.uniform(tf.shape(ids), seed=self.seed) < rate, UNKNOWN, ids)


def len_(tensor: tf.Tensor) -> tf.Tensor:
    return tf.shape(tensor)[0]
