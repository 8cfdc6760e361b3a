"""User features that come with a request, as `column=value` texts, in place of those that the push knows."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer.part import Tensors
from components.trainer.state import ModelState
from components.trainer.vocabulary import lookup_table

_NUMBER = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"


class GivenFeatures(tf.Module):
    """Reads the columns of a model state; other columns are ignored, and no text is an error."""

    def __init__(self, state: ModelState) -> None:
        super().__init__()
        self._categories, self._numbers = state.spec.user_categories, state.spec.user_numbers
        self._tables = [
            lookup_table(state.vocabularies[f"user:{name}"].ids, exported=True) for name in self._categories
        ]

    def over(self, known: Tensors, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """The rows' user tensors with what is given. texts: string [rows, n]; of a column the last counts."""
        categories, numbers = known["user_categories"], known["user_numbers"]
        for place, name in enumerate(self._categories):
            given, value = _last(texts, name)
            found = tf.cast(self._tables[place].lookup(value), tf.int32)
            categories = _replaced(categories, place, given, found)
        for place, name in enumerate(self._numbers):
            given, value = _last(texts, name)
            is_number = tf.strings.regex_full_match(value, _NUMBER)
            number = tf.strings.to_number(tf.where(is_number, value, "0"))
            numbers = _replaced(numbers, place, given, tf.where(is_number, number, np.float32(np.nan)))
        return {"user_categories": categories, "user_numbers": numbers}


def _last(texts: tf.Tensor, column: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether a row has the column, bool [rows], and its value, "" for none."""
    prefix = f"{column}="
    size = len(prefix.encode())
    mine = tf.strings.substr(texts, 0, size) == prefix
    # One more text, which is empty, stands for a row without the column.
    places = tf.where(mine, tf.range(1, tf.shape(texts)[1] + 1)[None, :], 0)
    last = tf.reduce_max(tf.pad(places, [[0, 0], [1, 0]]), axis=1)
    padded = tf.pad(texts, [[0, 0], [1, 0]], constant_values="")
    chosen = tf.gather(padded, last, axis=1, batch_dims=1)
    value = tf.strings.substr(chosen, tf.minimum(size, tf.strings.length(chosen)), tf.strings.length(chosen))
    return last > 0, value


def _replaced(columns: tf.Tensor, place: int, given: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    here = tf.range(tf.shape(columns)[1])[None, :] == place
    return tf.where(here & given[:, None], values[:, None], columns)
