"""Ranks and queries, by the graph that would be served: cases by the tens of thousands, one item each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features.data_state import DataState
from components.features.rows import flat, scalar
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.ranker import Ranker
from components.trainer.state import ModelState
from components.trainer.vocabulary import look_up

CHUNK_SCORES = 2**24
"""Scores that are held at a time."""


def ranks(state: ModelState, data: DataState, rows: pa.Table) -> np.ndarray:
    """int64 [rows]: the 1-based rank of each row's one item in the whole catalogue.

    As `Scorer.ranks`, of which it is a check: of equal scores the worse rank counts. Rows are of one span.
    """
    asked = _Asked(state, data, rows)
    answers = look_up(asked.ranker.catalogue.positions, flat(rows, "item_id")) - 1
    matrix = asked.ranker.matrix(tf.constant(data.trends(int(np.asarray(scalar(rows, "span"))[0]))))

    @tf.function(reduce_retracing=True, autograph=False)
    def ranked(batch: dict[str, tf.Tensor], answer: tf.Tensor) -> tf.Tensor:
        scores = asked.ranker.scores(batch, matrix)
        own = tf.gather(scores, answer, axis=1, batch_dims=1)[:, None]
        return tf.reduce_sum(tf.cast(scores >= own, tf.int32), axis=1)

    found = np.empty(rows.num_rows, np.int64)
    for chunk, batch in asked.chunks():
        found[chunk] = ranked(batch, tf.constant(answers[chunk])).numpy()
    return found


def queries(state: ModelState, data: DataState, rows: pa.Table) -> np.ndarray:
    """float32 [rows, dimension]: what the model asks for each row."""
    asked = _Asked(state, data, rows)

    @tf.function(reduce_retracing=True, autograph=False)
    def query(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        return asked.ranker.queries(batch)[:, : state.config.dimension]

    found = np.empty((rows.num_rows, state.config.dimension), np.float32)
    for chunk, batch in asked.chunks():
        found[chunk] = query(batch).numpy()
    return found


class _Asked:
    """Rows as tensors, by the hundreds."""

    def __init__(self, state: ModelState, data: DataState, rows: pa.Table) -> None:
        lookups = Lookups(state)
        self.ranker = Ranker(state, lookups, data, price="price_before")
        self._users = Users.encode(state, lookups, rows)
        self._histories = Histories.encode(self.ranker.catalogue, rows)
        self._rows, self._size = rows.num_rows, max(1, CHUNK_SCORES // data.catalogue.num_rows)

    def chunks(self) -> Iterator[tuple[np.ndarray, dict[str, tf.Tensor]]]:
        """Places of some rows and their tensors."""
        for start in range(0, self._rows, self._size):
            chunk = np.arange(start, min(start + self._size, self._rows))
            arrays = {**self._users.of(chunk), **self._histories.of(chunk)}
            yield chunk, {name: tf.constant(one) for name, one in arrays.items()}
