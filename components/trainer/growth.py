"""Growth: ids get rows behind the present ones, and nothing that is there changes by a bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.state import ModelState
from components.trainer.weights import capacity, initial_table, tables


def grow(state: ModelState, ids: Mapping[str, Iterable[str]]) -> ModelState:
    """The state with `ids` (by vocabulary name) numbered behind those that it knows.

    Where the spare rows of a table do not suffice, the table and its optimiser slot are extended;
    old rows of both stay bit-equal, new rows start as `initial_table` has them, whatever was grown before.
    """
    vocabularies = dict(state.vocabularies)
    for name, new in ids.items():
        vocabularies[name] = vocabularies[name].append(new)
    weights, slots = dict(state.weights), dict(state.slots)
    for table, vocabulary in tables(state.spec).items():
        if vocabulary is None or vocabularies[vocabulary].size <= len(weights[table]):
            continue
        rows, width = capacity(vocabularies[vocabulary].size), weights[table].shape[1]
        start = initial_table(table, rows, width, state.config, state.spec)
        weights[table] = extend(weights[table], start)
        slot = ACCUMULATOR + table
        if slot in slots:
            slots[slot] = extend(slots[slot], np.full((rows, width), INITIAL_ACCUMULATOR, np.float32))
    return replace(state, vocabularies=vocabularies, weights=weights, slots=slots)


def extend(old: np.ndarray, start: np.ndarray) -> np.ndarray:
    """`start` with its first rows replaced by `old`."""
    grown = start.copy()
    grown[: len(old)] = old
    return grown
