"""What the order of the newest items says: the last attends over all (SASRec: Kang & McAuley, ICDM 2018).

With x_j the representation of the j-th newest item plus a vector of its place, and x_1 as the question,

    c_h = Σ_j softmax_j(<W_h x_1 + b_h, x_j> / √d) · x_j,    e = [x_1, c_1, c_2],    out = V e + U relu(W e)

is added to the user's query. A query needs the last position alone, so nothing attends from earlier ones, and
keys and values need no projection: W_h and V hold it. `out` starts as likeness to the newest item. Costs
about 2·d·(items + d) multiplications a head and row, whatever the size of the catalogue.
"""

from __future__ import annotations

import math

import tensorflow as tf

from components.trainer.part import Part, Tensors, dropped
from components.trainer.state import ModelState
from components.trainer.weights import HEADS, PLACES

_NEVER = -1e9


class SequenceEncoder(Part):
    """Row by row; the order is that of `last`, whatever the order of the entries."""

    def __init__(self, state: ModelState) -> None:
        super().__init__("encoder", state.weights)
        self.dropout = state.config.dropout

    def call(self, batch: Tensors, represented: tf.Tensor) -> tf.Tensor:
        """float32 [rows, dimension], 0 for rows without history.

        represented: float32 [items, dimension], in which `history` has its places.
        """
        items, mask = self.newest(batch, represented)
        items = dropped(items, self.dropout, batch, salt=1)
        last = items[:, 0]
        contexts = [self.attended(f"encoder/ask_{head}", last, items, mask) for head in range(HEADS)]
        inputs = tf.concat([last, *contexts], axis=1)
        hidden = dropped(tf.nn.relu(self.dense("encoder/hidden", inputs)), self.dropout, batch, salt=2)
        out = self.dense("encoder/skip", inputs) + self.dense("encoder/out", hidden)
        return tf.where(mask[:, :1], out, 0.0)

    def newest(self, batch: Tensors, represented: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Items with their places, float32 [rows, m, dimension], newest first, and their mask, bool."""
        places = self.arrays[PLACES]
        by_age = tf.argsort(batch["last"], stable=True)
        order = tf.gather(by_age, tf.argsort(tf.gather(batch["owner"], by_age), stable=True))
        rows = tf.shape(batch["user"])[0]
        lengths = tf.math.unsorted_segment_sum(tf.ones_like(batch["owner"]), batch["owner"], rows)
        count = tf.minimum(tf.reduce_max(tf.concat([lengths, [1]], 0)), places.shape[0])
        place = tf.range(count)
        mask = place < lengths[:, None]
        entry = tf.where(mask, tf.cumsum(lengths, exclusive=True)[:, None] + place, 0)
        # One more entry, of no row, is what masked places read where nobody has a history.
        history = tf.pad(tf.gather(batch["history"], order), [[0, 1]])
        return tf.gather(represented, tf.gather(history, entry)) + places[:count], mask

    def attended(self, name: str, last: tf.Tensor, items: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [rows, dimension]: the items' mean by what the newest one asks for."""
        likeness = tf.einsum("bd,bnd->bn", self.dense(name, last), items) / math.sqrt(items.shape[2])
        return tf.einsum("bn,bnd->bd", tf.nn.softmax(tf.where(mask, likeness, _NEVER), axis=1), items)
