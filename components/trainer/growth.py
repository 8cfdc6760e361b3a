"""Growth: ids get rows behind the present ones, and nothing that is there changes by a bit.

An id without a row is read as the unknown one, whose row is learned. Its own row begins as a copy of that, so
that growth alone changes no answer: what is new is told from the unknown by what is learned of it. Where
directions count (`cosine`) it begins at random, as in a first model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.state import ModelState
from components.trainer.vocabulary import UNKNOWN, Vocabulary
from components.trainer.weights import capacity, initial_table, tables, with_rows


def grow(state: ModelState, ids: Mapping[str, Iterable[str]]) -> ModelState:
    """The state with `ids` (by vocabulary name) numbered in free places, then behind those that it knows.

    Where the spare rows of a table do not suffice, the table and its optimiser slot are extended. Old rows of
    both stay bit-equal; spare rows are as `initial_table` has them, whatever was grown before.
    """
    vocabularies = dict(state.vocabularies)
    for name, new in ids.items():
        vocabularies[name] = vocabularies[name].append(new)
    given = {name: _rows_given(state.vocabularies[name], vocabularies[name]) for name in ids}
    weights, slots = dict(state.weights), dict(state.slots)
    for table, vocabulary in tables(state.spec).items():
        if vocabulary not in given or not len(given[vocabulary]):
            continue
        size = vocabularies[vocabulary].size
        if size > len(weights[table]):
            rows, width = capacity(size), weights[table].shape[1]
            start = initial_table(table, rows, width, state.config, state.spec)
            weights[table] = extend(weights[table], start)
            slot = ACCUMULATOR + table
            if slot in slots:
                slots[slot] = extend(slots[slot], np.full((rows, width), INITIAL_ACCUMULATOR, np.float32))
        if not state.config.cosine:
            weights[table] = with_rows(weights[table], given[vocabulary], weights[table][UNKNOWN])
    return replace(state, vocabularies=vocabularies, weights=weights, slots=slots)


def extend(old: np.ndarray, start: np.ndarray) -> np.ndarray:
    """`start` with its first rows replaced by `old`."""
    return with_rows(start, np.arange(len(old)), old)


def _rows_given(before: Vocabulary, after: Vocabulary) -> np.ndarray:
    """int64: the rows of ids that `before` did not know."""
    had = (*before.ids, *("",) * (len(after.ids) - len(before.ids)))
    new = [place for place, (old, one) in enumerate(zip(had, after.ids, strict=True), 1) if old != one]
    return np.array(new, np.int64)
