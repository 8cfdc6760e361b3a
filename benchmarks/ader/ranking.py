"""Ranks of the answers, by the graph that would be served: cases by the tens of thousands, one item each."""

from __future__ import annotations

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
    lookups = Lookups(state)
    ranker = Ranker(state, lookups, data, price="price_before")
    users, histories = Users.encode(state, lookups, rows), Histories.encode(ranker.catalogue, rows)
    answers = look_up(ranker.catalogue.positions, flat(rows, "item_id")) - 1
    matrix = ranker.matrix(tf.constant(data.trends(int(np.asarray(scalar(rows, "span"))[0]))))

    @tf.function(reduce_retracing=True, autograph=False)
    def ranked(batch: dict[str, tf.Tensor], answer: tf.Tensor) -> tf.Tensor:
        scores = ranker.scores(batch, matrix)
        own = tf.gather(scores, answer, axis=1, batch_dims=1)[:, None]
        return tf.reduce_sum(tf.cast(scores >= own, tf.int32), axis=1)

    found = np.empty(rows.num_rows, np.int64)
    size = max(1, CHUNK_SCORES // data.catalogue.num_rows)
    for start in range(0, rows.num_rows, size):
        chunk = np.arange(start, min(start + size, rows.num_rows))
        batch = {name: tf.constant(one) for name, one in {**users.of(chunk), **histories.of(chunk)}.items()}
        found[chunk] = ranked(batch, tf.constant(answers[chunk])).numpy()
    return found
