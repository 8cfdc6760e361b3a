"""The best of long rows of scores: exact, without sorting what cannot be among them."""

from __future__ import annotations

import tensorflow as tf

BLOCK = 128
_LONG = 2**15
"""Items from which on blocks pay, on one row as on many."""


def whole_blocks(items: int) -> int:
    """The length that a row of so many items should have for `top_k`: whole blocks, where it is long."""
    return items if items < _LONG else -(-items // BLOCK) * BLOCK


def top_k(scores: tf.Tensor, k: tf.Tensor | int) -> tuple[tf.Tensor, tf.Tensor]:
    """`tf.math.top_k` of float [rows, n], equal scores by place: (values, columns), each [rows, k].

    Of long rows the k best lie in the k blocks whose maxima are best, so only these are looked into.
    """
    length = scores.shape[1]
    if length is None or length < _LONG or length % BLOCK:
        return tf.math.top_k(scores, k)
    rows, count = tf.shape(scores)[0], length // BLOCK
    blocks = tf.reshape(scores, [rows, count, BLOCK])
    _, chosen = tf.math.top_k(tf.reduce_max(blocks, axis=2), tf.minimum(k, count))
    chosen = tf.sort(chosen, axis=1)  # so that of equal scores the first comes first
    among = tf.gather(blocks, chosen, axis=1, batch_dims=1)
    values, places = tf.math.top_k(tf.reshape(among, [rows, -1]), k)
    return values, tf.gather(chosen, places // BLOCK, axis=1, batch_dims=1) * BLOCK + places % BLOCK
