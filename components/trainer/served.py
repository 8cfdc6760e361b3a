"""What the SavedModel is: the ranker with users, histories and catalogue inside, one method a signature."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from components.features.data_state import DataState
from components.trainer.given import GivenFeatures
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.moment import RECENT_AGE, as_of_push, push_rows, withdrawn
from components.trainer.ranker import Ranker, best, columns, in_blocks
from components.trainer.recent import History, aged, ages_by_place, distinct, entries, merged
from components.trainer.state import ModelState
from components.trainer.vocabulary import lookup_table
from schemas.signatures import (
    EMBED_ITEM,
    EMBED_USER,
    MAX_LIST,
    RECOMMEND,
    RECOMMEND_CONTEXT,
    RECOMMEND_RECENT,
    SCORE,
)
from schemas.spans import MICROS_PER_DAY, start_of

_MICROS_PER_HOUR = MICROS_PER_DAY // 24
_THURSDAY = 3
"""The weekday of the epoch."""


def _input(name: str, *shape: int | None, dtype: tf.DType = tf.string) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype, name=name)


def _kept(array: np.ndarray | tf.Tensor) -> tf.Variable:
    """A variable, so that large arrays lie beside the graph and not in it."""
    return tf.Variable(array, trainable=False)


_USER, _ITEM = _input("user_id", None), _input("item_id", None)
_RECENT = _input("recent_items", None, None)
_CONTEXT = [
    _USER,
    _RECENT,
    _input("recent_times", None, None, dtype=tf.int64),
    _input("recent_behaviors", None, None),
    _input("user_features", None, None),
    _input("exclude", None, None),
    _input("now", None, dtype=tf.int64),
    _input("k", None, dtype=tf.int32),
]


class Served(tf.Module):
    """Position 0 of the users is somebody of whom nothing is known, of the items no item."""

    def __init__(self, state: ModelState, data: DataState, list_length: int) -> None:
        super().__init__()
        lookups = Lookups(state)
        self.ranker = Ranker(state, lookups, data, price="price", withdrawn=withdrawn(data))
        item_ids = data.catalogue.column("item_id").to_pylist()
        user_ids = data.users.column("user_id").to_pylist()
        self.items = len(item_ids)
        self.length = min(list_length, self.items)
        self.push = start_of(data.span + 1)
        self.item_positions = lookup_table(item_ids, exported=True)
        self.user_positions = lookup_table(user_ids, exported=True)
        self.item_ids = _kept(np.array(["", *item_ids], dtype=object))
        self.matrix = _kept(in_blocks(self.ranker.matrix(tf.constant(data.trends(data.span + 1)))))
        self.given_features = GivenFeatures(state)
        counted = [name for name, weight in state.config.behavior_weights if weight > 0]
        self.counted = tf.constant(["", *counted])
        rows = push_rows(data, pa.array(["", *user_ids], pa.string()))
        users = as_of_push(Users.encode(state, lookups, rows), data.span)
        histories = Histories.encode(self.ranker.catalogue, rows)
        self.users = {name: _kept(array) for name, array in users.of(np.arange(rows.num_rows)).items()}
        self.bounds = _kept(histories.bounds)
        # One entry of padding behind all: what masked places read.
        self.histories = {
            name: _kept(np.concatenate([values, np.zeros_like(values, shape=(1, *values.shape[1:]))]))
            for name, values in histories.flat().items()
        }

    def functions(self) -> dict[str, ConcreteFunction]:
        """What answers each signature.

        No attribute holds them: `tf.saved_model.save` traces every function anew that it finds in one.
        """
        methods = {
            RECOMMEND: (self.recommend, [_USER]),
            RECOMMEND_RECENT: (self.recommend_recent, [_RECENT]),
            RECOMMEND_CONTEXT: (self.recommend_context, _CONTEXT),
            SCORE: (self.score, [_USER, _ITEM]),
            EMBED_USER: (self.embed_user, [_USER]),
            EMBED_ITEM: (self.embed_item, [_ITEM]),
        }
        return {
            name: tf.function(method, input_signature=inputs, autograph=False).get_concrete_function()
            for name, (method, inputs) in methods.items()
        }

    def recommend(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """Lists by user id; the history is the one of the push."""
        return self._best(self._known(user_id))

    def recommend_recent(self, recent_items: tf.Tensor) -> dict[str, tf.Tensor]:
        """Lists for somebody of whom only recent items are known, newest last, one taken a day."""
        ages = tf.broadcast_to(ages_by_place(recent_items, RECENT_AGE), tf.shape(recent_items))
        recent = distinct(
            recent_items,
            self._positions(recent_items),
            ages,
            recent_items != "",
            tf.zeros_like(recent_items),
        )
        nobody = tf.zeros(tf.shape(recent_items)[:1], tf.int64)
        return self._best({**self._user(nobody), **entries(recent)})

    def recommend_context(
        self,
        user_id: tf.Tensor,
        recent_items: tf.Tensor,
        recent_times: tf.Tensor,
        recent_behaviors: tf.Tensor,
        user_features: tf.Tensor,
        exclude: tf.Tensor,
        now: tf.Tensor,
        k: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Lists from all that is known at the moment of the request."""
        rows = self.user_positions.lookup(user_id)
        user = self._user(rows)
        user |= self.given_features.over(user, user_features)
        moment = tf.where(now > 0, now, self.push)
        user["hour"] = tf.where(
            now > 0, tf.cast(moment % MICROS_PER_DAY // _MICROS_PER_HOUR, tf.int32) + 1, user["hour"]
        )
        user["weekday"] = tf.cast((moment // MICROS_PER_DAY + _THURSDAY) % 7, tf.int32)
        in_history = (rows > 0)[:, None] & (recent_times > 0) & (recent_times < self.push)
        counts = tf.reduce_any(recent_behaviors[:, :, None] == self.counted, axis=2)
        given = (recent_items != "") & counts & ~in_history
        ages = tf.where(
            recent_times > 0,
            tf.maximum(_days(moment[:, None] - recent_times), 0.0),
            ages_by_place(recent_items, RECENT_AGE),
        )
        recent = distinct(recent_items, self._positions(recent_items), ages, given, recent_behaviors)
        history = aged(self._history(rows), tf.maximum(_days(moment - self.push), 0.0))
        wanted = tf.clip_by_value(tf.where(k > 0, k, self.length), 0, min(MAX_LIST, self.items))
        batch = {**user, **entries(merged(history, recent))}
        return self._best(batch, self._positions(exclude), wanted)

    def score(self, user_id: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """The score of one item a user."""
        return {"score": self.ranker.pairs(self._known(user_id), self._positions(item_id), self.matrix)}

    def embed_user(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """What an item's vector is multiplied with."""
        return {"vector": self.ranker.queries(self._known(user_id))}

    def embed_item(self, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """An item's column of the matrix."""
        positions = self._positions(item_id)
        return {"vector": tf.where(positions[:, None] > 0, columns(self.matrix, positions), 0.0)}

    def _positions(self, item_ids: tf.Tensor) -> tf.Tensor:
        return tf.cast(self.item_positions.lookup(item_ids), tf.int32)

    def _known(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self.user_positions.lookup(user_id)
        return {**self._user(rows), **entries(self._history(rows))}

    def _user(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.gather(values, rows) for name, values in self.users.items()}

    def _history(self, rows: tf.Tensor) -> History:
        starts, ends = tf.gather(self.bounds, rows), tf.gather(self.bounds, rows + 1)
        steps = tf.range(tf.maximum(tf.reduce_max(tf.concat([ends - starts, [1]], 0)), 1))
        places = starts[:, None] + steps
        mask = places < ends[:, None]
        places = tf.where(mask, places, self.histories["history"].shape[0] - 1)
        found = {name: tf.gather(values, places) for name, values in self.histories.items()}
        return {**found, "history_mask": mask}

    def _best(
        self, batch: dict[str, tf.Tensor], exclude: tf.Tensor | None = None, wanted: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """wanted: int32 [rows], how many of its row's list are told."""
        longest = self.length if wanted is None else tf.reduce_max(tf.concat([wanted, [0]], 0))
        positions, scores = best(self.ranker.scores(batch, self.matrix, exclude), longest)
        if wanted is not None:
            told = tf.range(longest)[None, :] < wanted[:, None]
            positions, scores = tf.where(told, positions, 0), tf.where(told, scores, 0.0)
        return {"item_id": tf.gather(self.item_ids, positions), "score": scores}


def _days(micros: tf.Tensor) -> tf.Tensor:
    """float32: a difference of times in days, exact to the second for some centuries."""
    return tf.cast(tf.cast(micros, tf.float64) / MICROS_PER_DAY, tf.float32)
