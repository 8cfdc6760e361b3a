"""Scores of a whole catalogue in one graph: what `Scorer` runs in this process is what the export serves."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.features.catalogue import SIGNALS
from components.features.data_state import DataState
from components.trainer.inputs import Catalogue, Lookups
from components.trainer.model import TwoTower
from components.trainer.part import Tensors
from components.trainer.state import ModelState
from components.trainer.top import top_k, whole_blocks
from schemas.rows import TREND_DAYS

NEVER = -1e30
"""Added to the score of an item that must not be listed; finite, since 0 times infinity is no number."""


class Ranker(tf.Module):
    """The model with the vectors of all items; item n of the catalogue has column n and position n + 1."""

    def __init__(
        self,
        state: ModelState,
        lookups: Lookups,
        data: DataState,
        price: str,
        withdrawn: np.ndarray | None = None,
    ) -> None:
        """`price`: the column of the catalogue that stands for an item's price.

        withdrawn: bool [items], those that are never listed; they still count as somebody's past.
        """
        super().__init__()
        self.model = TwoTower(state)
        self.repeat_offset = state.config.repeat_offset
        self.catalogue = Catalogue.encode(state, lookups, data.catalogue, price)
        ids = tf.constant(self.catalogue.ids)
        represented = self.model.items.represent(ids, tf.constant(self.catalogue.categories))
        vectors = self.model.items(represented, tf.constant(self.catalogue.numbers))
        self.represented = tf.Variable(represented, trainable=False)  # [items + 1, dimension]
        self.vectors = tf.transpose(vectors[1:])  # [dimension, items]
        bias = self.model.items.bias(ids)[1:]
        self.bias = bias if withdrawn is None else tf.where(tf.constant(withdrawn), NEVER, bias)

    def matrix(self, trends: tf.Tensor) -> tf.Tensor:
        """float32 [dimension + 6, items]: what a score is linear in. trends: float32 [items, 5].

        Items lie side by side: a product with many queries runs about four times as fast as with rows.
        """
        return tf.concat([self.vectors, tf.transpose(trends), self.bias[None, :]], axis=0)

    def queries(self, batch: Tensors) -> tf.Tensor:
        """float32 [rows, dimension + 6]: what a column of `matrix` is multiplied with.

        `history` of the batch holds catalogue positions.
        """
        # Not the whole table: it is a variable that is gathered from, which TensorFlow copies at each read.
        taken = tf.gather(self.represented, batch["history"])
        among_taken = {**batch, "history": tf.range(tf.shape(taken)[0])}
        query, trend_weight = self.model.query(among_taken, taken)
        return tf.concat([query / self.model.temperature, trend_weight, tf.ones_like(query[:, :1])], axis=1)

    def repeat(self, batch: Tensors, matrix: tf.Tensor) -> tf.Tensor:
        """float32 [n]: what past items get on top, each with its owner."""
        trends = trends_of(matrix, batch["history"])
        kinds = self.model.repeat.kinds(tf.gather(self.represented, batch["history"]))
        worth = self.model.repeat(batch, trends, kinds)
        return worth + self.repeat_offset

    def scores(self, batch: Tensors, matrix: tf.Tensor, excluded: tf.Tensor | None = None) -> tf.Tensor:
        """float32 [rows, items], by one product over the catalogue. excluded: int32 [rows, n] positions."""
        scores = tf.linalg.matmul(self.queries(batch), matrix)
        # Items that left the catalogue add nothing to column 0.
        added = tf.where(batch["history"] > 0, self.repeat(batch, matrix), 0.0)
        rows, positions = batch["owner"], batch["history"]
        if excluded is not None:
            added = tf.concat([added, tf.reshape(tf.where(excluded > 0, NEVER, 0.0), [-1])], axis=0)
            whose = tf.repeat(tf.range(tf.shape(excluded)[0]), tf.shape(excluded)[1])
            rows = tf.concat([rows, whose], axis=0)
            positions = tf.concat([positions, tf.reshape(excluded, [-1])], axis=0)
        places = tf.stack([rows, tf.maximum(positions - 1, 0)], axis=1)
        return tf.tensor_scatter_nd_add(scores, places, added)

    def pairs(self, batch: Tensors, positions: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
        """float32 [rows]: one item's score a row; -inf where it cannot be listed. positions: int32 [rows]."""
        score = tf.reduce_sum(self.queries(batch) * columns(matrix, positions), axis=1)
        same = batch["history"] == tf.gather(positions, batch["owner"])
        again = tf.where(same, self.repeat(batch, matrix), 0.0)
        score += tf.math.unsorted_segment_sum(again, batch["owner"], tf.shape(score)[0])
        return tf.where((positions > 0) & (score > NEVER / 2), score, -float("inf"))


def columns(matrix: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """float32 [..., dimension + 6]: the items at the positions [...]; for position 0 it is some item's."""
    found = tf.gather(matrix, tf.maximum(positions - 1, 0), axis=1)
    return tf.transpose(found, [*range(1, len(found.shape)), 0])


def trends_of(matrix: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """float32 [n, 4]: what `columns` holds of counts, number by number; a column whole is a read a row."""
    first = matrix.shape[0] - 1 - SIGNALS
    row, column = tf.meshgrid(first + tf.range(len(TREND_DAYS)), tf.maximum(positions - 1, 0))
    # From its value: where TensorFlow gathers from a variable itself, each later read of it whole is a copy.
    return tf.gather_nd(tf.convert_to_tensor(matrix), tf.stack([row, column], axis=-1))


def in_blocks(matrix: tf.Tensor) -> tf.Tensor:
    """The matrix with columns of no item behind it, as `best` wants a large catalogue."""
    rows, items = matrix.shape
    more = whole_blocks(items) - items
    nothing = tf.concat([tf.zeros([rows - 1, more]), tf.fill([1, more], NEVER)], axis=0)
    return tf.concat([matrix, nothing], axis=1)


def best(scores: tf.Tensor, k: tf.Tensor | int) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions (int32) and scores (float32), [rows, k], of the best items; both 0 where none is left."""
    values, places = top_k(scores, k)
    listed = values > NEVER / 2
    return tf.where(listed, places + 1, 0), tf.where(listed, values, 0.0)
