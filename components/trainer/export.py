"""The SavedModel of `schemas.signatures`: stock TensorFlow operations, with users and catalogue inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features.data_state import DataState
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.moment import RECENT_AGE, as_of_push, push_rows
from components.trainer.ranker import Ranker
from components.trainer.state import ModelState
from components.trainer.vocabulary import lookup_table
from schemas.signatures import RECOMMEND, RECOMMEND_RECENT, SCORE


def export(state: ModelState, data: DataState, folder: Path, list_length: int) -> None:
    """Writes a SavedModel that answers as of the day after `data`, with lists of at most `list_length` items.

    Answers equal `Scorer.top_k` and `Scorer.score` for the rows of `moment.push_rows` and `recent_rows`.
    ValueError if the catalogue is empty.
    """
    if not data.catalogue.num_rows:
        raise ValueError("the catalogue is empty: ingest at least one day with events before exporting")
    served = Served(state, data, list_length)
    tf.saved_model.save(
        served,
        str(folder),
        signatures={
            RECOMMEND: served.recommend.get_concrete_function(),
            RECOMMEND_RECENT: served.recommend_recent.get_concrete_function(),
            SCORE: served.score.get_concrete_function(),
        },
    )


def _texts(*shape: int | None, name: str) -> tf.TensorSpec:
    return tf.TensorSpec(shape, tf.string, name=name)


def _kept(array: np.ndarray) -> tf.Variable:
    """A variable, so that large arrays lie beside the graph and not in it."""
    return tf.Variable(array, trainable=False)


_PAIRS = [_texts(None, name="user_id"), _texts(None, name="item_id")]


class Served(tf.Module):
    """The ranker with the push's users: position 0 is somebody of whom nothing is known."""

    def __init__(self, state: ModelState, data: DataState, list_length: int) -> None:
        super().__init__()
        lookups = Lookups(state)
        self.ranker = Ranker(state, lookups, data, price="price")
        item_ids = data.catalogue.column("item_id").to_pylist()
        user_ids = data.users.column("user_id").to_pylist()
        self.length = min(list_length, len(item_ids))
        self.item_positions, self.user_positions = self.ranker.catalogue.positions, lookup_table(user_ids)
        self.item_ids = _kept(np.array(item_ids, dtype=object))
        self.trends = _kept(data.trends(data.span + 1))
        rows = push_rows(data, pa.array(["", *user_ids], pa.string()))
        users = as_of_push(Users.encode(state, lookups, rows), data.span)
        histories = Histories.encode(self.ranker.catalogue, rows)
        self.users = {name: _kept(array) for name, array in users.of(np.arange(rows.num_rows)).items()}
        self.bounds = _kept(histories.bounds)
        flat = {
            "history": histories.positions,
            "times": histories.times,
            "first": histories.first,
            "last": histories.last,
        }
        # One entry of padding behind all: what masked places read.
        self.histories = {
            name: _kept(np.append(values, values.dtype.type(0))) for name, values in flat.items()
        }

    @tf.function(input_signature=[_texts(None, name="user_id")], autograph=False)
    def recommend(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """Lists by user id; the history is the one of the push."""
        return self._best(self._known(user_id))

    @tf.function(input_signature=[_texts(None, None, name="recent_items")], autograph=False)
    def recommend_recent(self, recent_items: tf.Tensor) -> dict[str, tf.Tensor]:
        """Lists for somebody of whom only recent items are known, newest last, one taken a day."""
        items = tf.cast(self.item_positions.lookup(recent_items), tf.int32)
        count = tf.shape(items)[1]
        ages = tf.range(tf.cast(count, tf.float32), 0.0, -1.0) * RECENT_AGE
        given = recent_items != ""
        same = (recent_items[:, :, None] == recent_items[:, None, :]) & given[:, :, None] & given[:, None, :]
        last = tf.reduce_min(tf.where(same, ages, np.float32(np.inf)), axis=2)
        newest = given & (last == ages)  # of an item that comes several times, the last place stands for all

        def where_newest(values: tf.Tensor) -> tf.Tensor:
            return tf.where(newest, values, tf.zeros_like(values))

        nobody = tf.zeros_like(items[:, 0]) if items.shape[1] else tf.zeros(tf.shape(items)[:1], tf.int32)
        return self._best(
            {
                **{name: tf.gather(values, nobody) for name, values in self.users.items()},
                "history": where_newest(items),
                "times": where_newest(tf.reduce_sum(tf.cast(same, tf.float32), axis=2)),
                "first": where_newest(tf.reduce_max(tf.where(same, ages, 0.0), axis=2)),
                "last": where_newest(last),
                "history_mask": newest,
            }
        )

    @tf.function(input_signature=_PAIRS, autograph=False)
    def score(self, user_id: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """The score of one item a user."""
        positions = tf.cast(self.item_positions.lookup(item_id), tf.int32)
        return {"score": self.ranker.pairs(self._known(user_id), positions, self.trends)}

    def _known(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self.user_positions.lookup(user_id)
        starts, ends = tf.gather(self.bounds, rows), tf.gather(self.bounds, rows + 1)
        steps = tf.range(tf.maximum(tf.reduce_max(tf.concat([ends - starts, [1]], 0)), 1))
        places = starts[:, None] + steps
        mask = places < ends[:, None]
        places = tf.where(mask, places, tf.shape(self.histories["history"], tf.int64)[0] - 1)
        return {
            **{name: tf.gather(values, rows) for name, values in self.users.items()},
            **{name: tf.gather(values, places) for name, values in self.histories.items()},
            "history_mask": mask,
        }

    def _best(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        scores, columns = tf.math.top_k(self.ranker.scores(batch, self.trends), self.length)
        return {"item_id": tf.gather(self.item_ids, columns), "score": scores}
