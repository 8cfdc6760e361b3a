"""The model: two towers, a trend term and a repeat term.

    score(u, i) = <q(u), v(i)> / temperature + b(i) + w(u) · trend(i) + R(u, i)

q and w come from the user tower, q with the sequence encoder's part where there is one, v and b from the item
tower; with `cosine` q, v and what histories show of items have length 1 (NISER: Gupta et al. 2019). R is a
small network on what the user did with the item before, and 0 for items that are new to the user. Trends are
data, not weights: they move on every day even when nothing is learned. The last of them is no count: how new
an item is that was announced.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.trainer.encoder import SequenceEncoder
from components.trainer.loss import multi_positive_softmax
from components.trainer.part import Part, Tensors, dropped, unit
from components.trainer.state import ModelState
from components.trainer.weights import completed, tables
from schemas.events import BEHAVIORS
from schemas.rows import TREND_DAYS

LIMIT = 5.0
"""Scaled quantities are clipped to ±LIMIT standard deviations."""

FLOOR = 0.01
"""Added to decayed counts before their logarithm."""


class Scaler(tf.keras.layers.Layer):
    """Quantities with their moments: log-compressed, standardised, clipped; missing (NaN) is one value."""

    def __init__(self, moments: list) -> None:
        super().__init__()
        self.mean = tf.constant([one.mean for one in moments], tf.float32)
        self.deviation = tf.constant([one.deviation for one in moments], tf.float32)
        self.missing = tf.constant([one.scaled_missing for one in moments], tf.float32)

    def call(self, numbers: tf.Tensor) -> tf.Tensor:
        scaled = (tf.sign(numbers) * tf.math.log1p(tf.abs(numbers)) - self.mean) / self.deviation
        return tf.where(tf.math.is_nan(numbers), self.missing, tf.clip_by_value(scaled, -LIMIT, LIMIT))


class ItemTower(Part):
    """Items by their category embeddings, quantities and an id row."""

    def __init__(self, state: ModelState) -> None:
        super().__init__("item", state.weights)
        self.columns = state.spec.item_categories
        self.scaled = unit if state.config.cosine else tf.identity
        self.scaler = Scaler([state.moments[f"item:{name}"] for name in state.spec.item_numbers])

    def represent(self, ids: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        """float32 [n, dimension]: what candidates and histories share. ids: int32 [n]."""
        features = self.categories("item/feature/", self.columns, categories)
        return self.scaled(tf.add_n([self.rows("item/id", ids), *features]))

    def call(self, represented: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """float32 [n, dimension] candidate vectors. numbers: float32 [n, columns], NaN where missing."""
        inputs = tf.concat([represented, self.scaler(numbers)], axis=1)
        hidden = tf.nn.relu(self.dense("item/hidden", inputs))
        return self.scaled(represented + self.dense("item/out", hidden))

    def bias(self, ids: tf.Tensor) -> tf.Tensor:
        """float32 [n]."""
        return self.rows("item/bias", ids)[:, 0]


class UserTower(Part):
    """Users by decayed bags of what they took, features, the hour, the weekday and an id row from zero."""

    def __init__(self, state: ModelState) -> None:
        super().__init__("user", state.weights)
        self.columns = state.spec.user_categories
        self.half_lives = tf.constant(state.config.half_lives, tf.float32)
        self.scaler = Scaler([state.moments[f"user:{name}"] for name in state.spec.user_numbers])

    def bags(self, batch: Tensors, represented: tf.Tensor) -> tf.Tensor:
        """float32 [rows, bags * dimension]: means of the items taken, weighted by count and age.

        represented: float32 [items, dimension], in which `history` has its places. A bag is a row of a sparse
        matrix of weights: no copy of an item is made for each who took it.
        """
        rows, bags = tf.shape(batch["user"])[0], len(self.half_lives)
        decay = tf.exp(-math.log(2) * batch["last"][:, None] / self.half_lives)
        weight = decay * tf.math.log1p(batch["times"])[:, None]
        bag = tf.cast(batch["owner"][:, None] * bags + tf.range(bags), tf.int64)
        item = tf.broadcast_to(tf.cast(batch["history"], tf.int64)[:, None], tf.shape(bag))
        places = tf.stack([tf.reshape(bag, [-1]), tf.reshape(item, [-1])], axis=1)
        shape = tf.cast(tf.stack([rows * bags, tf.shape(represented)[0]]), tf.int64)
        weights = tf.SparseTensor(places, tf.reshape(weight, [-1]), shape)
        sums = tf.sparse.sparse_dense_matmul(weights, represented)
        total = tf.math.unsorted_segment_sum(weight, batch["owner"], rows)
        means = tf.reshape(sums, [rows, bags, represented.shape[1]]) / (total[..., None] + 0.1)
        return tf.reshape(means, [rows, bags * represented.shape[1]])

    def call(self, batch: Tensors, represented: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Query vectors, float32 [rows, dimension], and trend weights, float32 [rows, 5]."""
        features = self.categories("user/feature/", self.columns, batch["user_categories"])
        moment = [self.rows("user/hour", batch["hour"]), self.rows("user/weekday", batch["weekday"])]
        numbers = [activity(batch), self.scaler(batch["user_numbers"])]
        inputs = tf.concat([self.bags(batch, represented), tf.add_n([*features, *moment]), *numbers], axis=1)
        hidden = tf.nn.relu(self.dense("user/hidden", inputs))
        query = self.dense("user/out", hidden) + self.dense("user/skip", inputs)
        return query + self.rows("user/id", batch["user"]), self.dense("user/trend", hidden)


class RepeatTerm(Part):
    """How much a past item is worth now: what the user did with it, the user's activity, its trend, its kind.

    A linear term that starts as a decayed frequency, and a small network that starts at zero. The kind, a
    projection of the item's representation, lets milk come back every week and a kettle not at all.
    """

    def __init__(self, state: ModelState) -> None:
        super().__init__("repeat", state.weights)

    def kinds(self, represented: tf.Tensor) -> tf.Tensor:
        """float32 [n, repeat_hidden] of the representations, float32 [n, dimension], of items."""
        return self.dense("repeat/kind", represented)

    def call(self, batch: Tensors, trend: tf.Tensor, kinds: tf.Tensor) -> tf.Tensor:
        """float32 [n], of the entries of the histories. trend: float32 [n, 4], without novelty.

        kinds: float32 [n, repeat_hidden].
        """
        ages = [tf.math.log1p(batch[name]) for name in ("times", "last", "first")]
        decayed = tf.math.log(batch["decayed"] + FLOOR)
        user = tf.gather(activity(batch), batch["owner"])
        behavior = tf.one_hot(batch["behavior"] - 1, len(BEHAVIORS))
        inputs = tf.concat([decayed, tf.stack(ages, axis=1), user, trend, behavior], axis=1)
        hidden = tf.nn.relu(self.dense("repeat/hidden", inputs) + kinds)
        return (self.dense("repeat/linear", inputs) + self.dense("repeat/out", hidden))[:, 0]


def by_day(weight: tf.Tensor, day_of: tf.Tensor, trend: tf.Tensor) -> tf.Tensor:
    """float32 [rows, candidates]: w · trend, where rows of a day share its trends, in one product.

    weight: float32 [rows, 5]; day_of: int32 [rows], places in `trend`, float32 [days, 5, candidates].
    """
    rows, days, candidates = tf.shape(weight)[0], tf.shape(trend)[0], tf.shape(trend)[2]
    of_own_day = tf.one_hot(day_of, days)[:, :, None] * weight[:, None, :]
    width = days * weight.shape[1]
    return tf.linalg.matmul(tf.reshape(of_own_day, [rows, width]), tf.reshape(trend, [width, candidates]))


def activity(batch: Tensors) -> tf.Tensor:
    """float32 [rows, 1 + half-lives]: logs of how many distinct items were taken, and of decayed takes."""
    counted = tf.concat([tf.ones_like(batch["last"])[:, None], batch["decayed"]], axis=1)
    rows = tf.shape(batch["user"])[0]
    return tf.math.log1p(tf.math.unsorted_segment_sum(counted, batch["owner"], rows))


class TwoTower(tfrs.Model):
    """The towers and terms with the arrays of a model state, and the loss of a training step."""

    def __init__(self, state: ModelState) -> None:
        super().__init__()
        state = replace(state, weights=completed(state.weights, state.config, state.spec))
        self.temperature, self.discovery = state.config.temperature, state.config.discovery
        self.items, self.users, self.repeat = ItemTower(state), UserTower(state), RepeatTerm(state)
        self.encoder = SequenceEncoder(state) if state.config.encoder == "attention" else None
        self.dropout, self.scaled = state.config.dropout, self.items.scaled
        parts = [part for part in (self.items, self.users, self.repeat, self.encoder) if part]
        arrays = {name: array for part in parts for name, array in part.arrays.items()}
        of_tables = tables(state.spec)
        self.table_variables = {name: arrays[name] for name in state.weights if name in of_tables}
        self.dense_variables = {name: arrays[name] for name in state.weights if name not in of_tables}
        of_query = {name for part in (self.users, self.encoder) if part for name in part.arrays}
        self.query_variables = {name: one for name, one in self.dense_variables.items() if name in of_query}

    def arrays(self) -> dict[str, np.ndarray]:
        """All variables by their name in the model state."""
        return {name: one.numpy() for name, one in {**self.table_variables, **self.dense_variables}.items()}

    def query(self, batch: Tensors, represented: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Query vectors, float32 [rows, dimension], and trend weights, float32 [rows, 5].

        represented: float32 [items, dimension], in which `history` has its places.
        """
        query, trend_weight = self.users(batch, represented)
        if self.encoder:
            query += self.encoder(batch, represented)
        return self.scaled(dropped(query, self.dropout, batch, salt=0)), trend_weight

    def logits(self, inputs: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores of the shared candidates, float32 [rows, candidates], and of the rows' past items, [n]."""
        represented = self.items.represent(inputs["item"], inputs["item_categories"])
        vectors = self.items(represented, inputs["item_numbers"])
        bias = self.items.bias(inputs["item"])
        query, trend_weight = self.query(inputs, represented)

        scores = tf.linalg.matmul(query, vectors, transpose_b=True) / self.temperature + bias
        shared = scores[:, : tf.shape(inputs["inclusion"])[0]]
        shared += by_day(trend_weight, inputs["day_of"], inputs["candidate_trend"])
        # Every row with every item of the step: one product costs less than copies of past vectors.
        past = tf.gather_nd(scores, tf.stack([inputs["owner"], inputs["history"]], axis=1))
        past += tf.reduce_sum(tf.gather(trend_weight, inputs["owner"]) * inputs["history_trend"], axis=1)
        kinds = tf.gather(self.repeat.kinds(represented), inputs["history"])
        return shared, past + self.repeat(inputs, inputs["history_trend"][:, : len(TREND_DAYS)], kinds)

    def compute_loss(self, inputs: Tensors, training: bool = False) -> tf.Tensor:
        """The summed loss of a step, whose inputs `Steps` makes: rows against candidates and their own past.

        Past items are candidates of their own row with certainty; the shared candidates are a sample.
        """
        return self.loss_of(*self.logits(inputs), inputs)

    def loss_of(self, shared: tf.Tensor, past: tf.Tensor, inputs: Tensors) -> tf.Tensor:
        """The summed loss of what `logits` answered."""
        return multi_positive_softmax(
            shared, inputs["positive"], inputs["positive_weight"], inputs["candidate_excluded"],
            inputs["inclusion"], past, inputs["history_weight"], inputs["owner"], self.discovery,
        )  # fmt: skip
