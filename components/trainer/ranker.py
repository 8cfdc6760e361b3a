"""Scores of a whole catalogue in one graph: what `Scorer` runs in this process is what the export serves."""

from __future__ import annotations

import tensorflow as tf

from components.features.data_state import DataState
from components.trainer.inputs import Catalogue, Lookups
from components.trainer.model import Tensors, TwoTower
from components.trainer.state import ModelState


class Ranker(tf.Module):
    """The model with the vectors of all items; item n of the catalogue has column n and position n + 1."""

    def __init__(self, state: ModelState, lookups: Lookups, data: DataState, price: str) -> None:
        """`price`: the column of the catalogue that stands for an item's price."""
        super().__init__()
        self.model = TwoTower(state)
        self.catalogue = Catalogue.encode(state, lookups, data.catalogue, price)
        ids = tf.constant(self.catalogue.ids)
        represented = self.model.items.represent(ids, tf.constant(self.catalogue.categories))
        vectors = self.model.items(represented, tf.constant(self.catalogue.numbers))
        self.represented = tf.Variable(represented, trainable=False)  # [items + 1, dimension]
        self.vectors = tf.Variable(vectors[1:], trainable=False)
        self.bias = tf.Variable(self.model.items.bias(ids)[1:], trainable=False)

    def users(self, batch: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """Query vectors and trend weights; `history` holds catalogue positions."""
        return self.model.users(batch, tf.gather(self.represented, batch["history"]))

    def scores(self, batch: Tensors, trends: tf.Tensor) -> tf.Tensor:
        """float32 [rows, items]. trends: float32 [items, 4]."""
        query, trend_weight = self.users(batch)
        scores = tf.linalg.matmul(query, self.vectors, transpose_b=True) / self.model.temperature
        scores += self.bias + tf.linalg.matmul(trend_weight, trends, transpose_b=True)
        # Padding and items that left the catalogue add nothing to column 0.
        repeat = tf.where(batch["history"] > 0, self.model.repeat(batch), 0.0)
        rows = tf.broadcast_to(tf.range(tf.shape(repeat)[0])[:, None], tf.shape(repeat))
        columns = tf.maximum(batch["history"] - 1, 0)
        return tf.tensor_scatter_nd_add(scores, tf.stack([rows, columns], axis=-1), repeat)

    def pairs(self, batch: Tensors, positions: tf.Tensor, trends: tf.Tensor) -> tf.Tensor:
        """float32 [rows]: the score of one item a row; -inf for position 0. positions: int32 [rows]."""
        query, trend_weight = self.users(batch)
        column = tf.maximum(positions - 1, 0)
        score = tf.reduce_sum(query * tf.gather(self.vectors, column), axis=1) / self.model.temperature
        score += tf.gather(self.bias, column)
        score += tf.reduce_sum(trend_weight * tf.gather(trends, column), axis=1)
        same = batch["history"] == positions[:, None]
        score += tf.reduce_sum(tf.where(same, self.model.repeat(batch), 0.0), axis=1)
        return tf.where(positions > 0, score, -float("inf"))
