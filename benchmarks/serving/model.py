"""A SavedModel with the arithmetic of the export's `recommend` on random numbers, for any catalogue."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from schemas.signatures import RECOMMEND

USERS, HISTORY, EXTRA = 2000, 50, 5
K = 20


class Random(tf.Module):
    """One product over [items, dimension + 5], a correction at each past item, top-k, ids."""

    def __init__(self, items: int, dimension: int) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        width = dimension + EXTRA

        def drawn(*shape: int) -> tf.Variable:
            return tf.Variable(rng.standard_normal(shape, np.float32), trainable=False)

        self.matrix, self.users, self.repeat = drawn(items, width), drawn(USERS, width), drawn(USERS, HISTORY)
        self.history = tf.Variable(rng.integers(0, items, (USERS, HISTORY), np.int32), trainable=False)
        self.item_ids = tf.Variable(np.array([f"item-{n}" for n in range(items)], object), trainable=False)
        keys = tf.constant([user_id(n) for n in range(USERS)])
        self.rows = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, tf.range(USERS)), 0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="user_id")], autograph=False)
    def recommend(self, user_id: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self.rows.lookup(user_id)
        scores = tf.linalg.matmul(tf.gather(self.users, rows), self.matrix, transpose_b=True)
        columns = tf.gather(self.history, rows)
        places = tf.stack(
            [tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, None], tf.shape(columns)), columns], -1
        )
        scores = tf.tensor_scatter_nd_add(scores, places, tf.gather(self.repeat, rows))
        values, best = tf.math.top_k(scores, K)
        return {"item_id": tf.gather(self.item_ids, best), "score": values}


def user_id(number: int) -> str:
    return f"user-{number}"


def write(folder: Path, items: int, dimension: int) -> None:
    model = Random(items, dimension)
    tf.saved_model.save(model, str(folder), signatures={RECOMMEND: model.recommend})


def raw_milliseconds(folder: Path, rows: int, seconds: float) -> list[float]:
    """What each call of the signature takes in this process, from tensors to arrays."""
    run = tf.saved_model.load(str(folder)).signatures[RECOMMEND]
    took, end = [], time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        users = tf.constant([user_id((number + row) % USERS) for row in range(rows)])
        started = time.perf_counter()
        for tensor in run(user_id=users).values():
            tensor.numpy()
        took.append((time.perf_counter() - started) * 1e3)
        number += rows
    return took[len(took) // 10 :]  # the first ones trace and warm
