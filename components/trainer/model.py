"""The model: two towers, a trend term and a repeat term.

    score(u, i) = <q(u), v(i)> / temperature + b(i) + w(u) · trend(i) + R(u, i)

q and w come from the user tower, q with the sequence encoder's part where there is one, v and b from the item
tower; with `cosine` q, v and what histories show of items have length 1 (NISER: Gupta et al. 2019). R is a
small network on what the user did with the item before, and 0 for items that are new to the user. Trends are
data, not weights: they move on every day even when nothing is learned.
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
    """Items by their category embeddings, quantities and an id row that starts at zero."""

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

    def bags(self, batch: Tensors, taken: tf.Tensor) -> tf.Tensor:
        """float32 [rows, bags * dimension]: means of the items taken, weighted by count and age.

        taken: float32 [rows, n, dimension], their representations.
        """
        decay = tf.exp(-math.log(2) * batch["last"][..., None] / self.half_lives)
        counts = tf.where(batch["history_mask"], tf.math.log1p(batch["times"]), 0.0)
        weight = decay * counts[..., None]
        bags = tf.einsum("bhl,bhd->bld", weight, taken) / (tf.reduce_sum(weight, 1)[..., None] + 0.1)
        return tf.reshape(bags, [-1, bags.shape[1] * bags.shape[2]])

    def call(self, batch: Tensors, taken: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Query vectors, float32 [rows, dimension], and trend weights, float32 [rows, 4]."""
        features = self.categories("user/feature/", self.columns, batch["user_categories"])
        moment = [self.rows("user/hour", batch["hour"]), self.rows("user/weekday", batch["weekday"])]
        numbers = [activity(batch)[:, 0], self.scaler(batch["user_numbers"])]
        inputs = tf.concat([self.bags(batch, taken), tf.add_n([*features, *moment]), *numbers], axis=1)
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
        """float32 [..., repeat_hidden] of the representations, float32 [..., dimension], of items."""
        return self.dense("repeat/kind", represented)

    def call(self, batch: Tensors, trend: tf.Tensor, kinds: tf.Tensor) -> tf.Tensor:
        """float32 [rows, n], 0 where the history is padded. trend: float32 [rows, n, 4].

        kinds: float32 [rows, n, repeat_hidden], of the history.
        """
        ages = [tf.math.log1p(batch[name]) for name in ("times", "last", "first")]
        decayed = tf.math.log(batch["decayed"] + FLOOR)
        user = activity(batch)
        spread = tf.zeros_like(decayed[..., :1]) + user
        behavior = tf.one_hot(batch["behavior"] - 1, len(BEHAVIORS))
        inputs = tf.concat([decayed, tf.stack(ages, axis=-1), spread, trend, behavior], axis=-1)
        hidden = tf.nn.relu(self.dense("repeat/hidden", inputs) + kinds)
        worth = self.dense("repeat/linear", inputs) + self.dense("repeat/out", hidden)
        return tf.where(batch["history_mask"], worth[..., 0], 0.0)


def activity(batch: Tensors) -> tf.Tensor:
    """float32 [rows, 1, 1 + half-lives]: logs of how many distinct items were taken, and of decayed takes."""
    distinct = tf.reduce_sum(tf.cast(batch["history_mask"], tf.float32), 1, keepdims=True)[..., None]
    return tf.math.log1p(tf.concat([distinct, tf.reduce_sum(batch["decayed"], 1, keepdims=True)], axis=2))


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

    def arrays(self) -> dict[str, np.ndarray]:
        """All variables by their name in the model state."""
        return {name: one.numpy() for name, one in {**self.table_variables, **self.dense_variables}.items()}

    def query(self, batch: Tensors, taken: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Query vectors, float32 [rows, dimension], and trend weights, float32 [rows, 4].

        taken: float32 [rows, n, dimension], representations of the history.
        """
        query, trend_weight = self.users(batch, taken)
        if self.encoder:
            query += self.encoder(batch, taken)
        return self.scaled(dropped(query, self.dropout, batch, salt=0)), trend_weight

    def logits(self, inputs: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores of the shared candidates, float32 [rows, candidates], and of own past items, [rows, n]."""
        represented = self.items.represent(inputs["item"], inputs["item_categories"])
        vectors = self.items(represented, inputs["item_numbers"])
        bias = self.items.bias(inputs["item"])
        query, trend_weight = self.query(inputs, tf.gather(represented, inputs["history"]))

        scores = tf.linalg.matmul(query, vectors, transpose_b=True) / self.temperature + bias
        shared = tf.gather(scores, inputs["candidate"], axis=1)
        shared += tf.einsum("bt,bct->bc", trend_weight, inputs["candidate_trend"])
        # Every row with every item of the step: one product costs less than copies of past vectors.
        past = tf.gather(scores, inputs["history"], axis=1, batch_dims=1)
        past += tf.einsum("bt,bht->bh", trend_weight, inputs["history_trend"])
        kinds = tf.gather(self.repeat.kinds(represented), inputs["history"])
        return shared, past + self.repeat(inputs, inputs["history_trend"], kinds)

    def compute_loss(self, inputs: Tensors, training: bool = False) -> tf.Tensor:
        """The summed loss of a step, whose inputs `Steps` makes: rows against candidates and their own past.

        Past items are candidates of their own row with certainty; the shared candidates are a sample.
        """
        return self.loss_of(*self.logits(inputs), inputs)

    def loss_of(self, shared: tf.Tensor, past: tf.Tensor, inputs: Tensors) -> tf.Tensor:
        """The summed loss of what `logits` answered."""
        return multi_positive_softmax(
            shared, inputs["candidate_weight"], inputs["candidate_excluded"], inputs["inclusion"],
            past, inputs["history_weight"], inputs["history_mask"], self.discovery,
        )  # fmt: skip
