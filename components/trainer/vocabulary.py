"""Numbering of ids, and the one look-up that training, scoring and the served graph share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import tensorflow as tf

UNKNOWN = 0
"""Index of every id that has no row of its own, and of the empty id, which means "missing"."""


@dataclass(frozen=True)
class Vocabulary:
    """The id at position n has index n + 1; "" is a place that was given back. Others stay where they are."""

    ids: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of rows in use, the unknown one included."""
        return len(self.ids) + 1

    @property
    def known(self) -> int:
        """Number of ids."""
        return len(self.ids) - self.ids.count("")

    def append(self, ids: Iterable[str]) -> Vocabulary:
        """The vocabulary with those of `ids` that are new: in free places, then behind, in their order."""
        known = set(self.ids)
        fresh = [one for one in dict.fromkeys(ids) if one and one not in known]
        places, free = list(self.ids), [place for place, one in enumerate(self.ids) if not one]
        for place, one in zip(free, fresh, strict=False):
            places[place] = one
        return Vocabulary((*places, *fresh[len(free) :])) if fresh else self

    def without(self, places: Iterable[int]) -> Vocabulary:
        """The vocabulary with these positions free."""
        gone = set(places)
        return Vocabulary(tuple("" if n in gone else one for n, one in enumerate(self.ids))) if gone else self


def lookup_table(ids: Iterable[str], *, exported: bool = False) -> Any:
    """A `tf.lookup.StaticHashTable` id -> position + 1 (int64), 0 for all else; ids are unique; "" is none.

    The ids become a constant of the graph, not a text file: an id may hold line breaks. `exported`: the table
    has a name, by which a model server's session finds it again; it stays in this process for ever. One
    without goes when nobody knows it any more.
    """
    import tensorflow as tf

    known = {one: place for place, one in enumerate(ids, start=1) if one}
    # TensorFlow makes no table of nothing: the empty id stands in, which means "missing" anyway.
    keys = tf.constant(list(known) or [""], dtype=tf.string)
    values = tf.constant(list(known.values()) or [UNKNOWN], tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, UNKNOWN, experimental_is_anonymous=not exported)


def look_up(table: tf.lookup.StaticHashTable, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """int32 [n] indices of a column of texts; each distinct text passes the table once."""
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    encoded = texts.fill_null("").dictionary_encode()
    import tensorflow as tf

    of_unique = table.lookup(tf.constant(encoded.dictionary.to_pylist(), dtype=tf.string)).numpy()
    return of_unique.astype(np.int32)[encoded.indices.to_numpy(zero_copy_only=False)]
