"""Eviction: ids that nobody saw for a long time give their rows back, so that memory is bounded for ever.

A row that was given back is as it was before anything was learned, in tables and in optimiser slots, and the
next new id takes it (`Vocabulary.append`); no other row changes by a bit. Tables are then as large as the
most ids that were ever alive at once. Who comes back after all starts as unknown and is learned anew; what is
remembered of them is read as of somebody unknown. Costs a pass over the histories of the data state a learn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features.data_state import DataState
from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.state import ModelState
from components.trainer.weights import initial_table, tables, with_rows
from schemas.spans import start_of


def alive(data: DataState, days: int | None) -> dict[str, set[str]]:
    """Ids by vocabulary (`user`, `item`) that took, or were taken, in the last `days` days; None: ever.

    An item is alive, too, for as many days after it came, taken or not.
    """
    catalogue, history = data.catalogue, data.history
    if days is not None:
        first = data.span + 1 - days
        catalogue = catalogue.filter(pc.greater_equal(catalogue.column("first_span"), first))
        history = history.filter(pc.greater_equal(history.column("last_timestamp"), start_of(first)))
    found = {name: set(pc.unique(history.column(f"{name}_id")).to_pylist()) for name in ("user", "item")}
    found["item"].update(catalogue.column("item_id").to_pylist())
    return found


def evict(state: ModelState, stay: Mapping[str, Collection[str]]) -> ModelState:
    """The state without ids that are not in `stay`, a collection a vocabulary that is to be cleared."""
    vocabularies, weights, slots = dict(state.vocabularies), dict(state.weights), dict(state.slots)
    places = {name: _places(vocabularies[name].ids, stay[name]) for name in stay}
    for name, free in places.items():
        vocabularies[name] = vocabularies[name].without(free)
    for table, vocabulary in tables(state.spec).items():
        if vocabulary not in places or not len(places[vocabulary]):
            continue
        rows, width = weights[table].shape
        free = places[vocabulary] + 1
        start = initial_table(table, rows, width, state.config, state.spec)
        weights[table] = with_rows(weights[table], free, start[free])
        if (slot := ACCUMULATOR + table) in slots:
            slots[slot] = with_rows(slots[slot], free, np.float32(INITIAL_ACCUMULATOR))
    return replace(state, vocabularies=vocabularies, weights=weights, slots=slots)


def _places(ids: tuple[str, ...], stay: Collection[str]) -> np.ndarray:
    """int64: places of ids in the vocabulary that do not stay."""
    texts = pa.array(ids, pa.string())
    stays = pc.or_(pc.is_in(texts, pa.array(list(stay), pa.string())), pc.equal(texts, ""))
    return np.flatnonzero(~np.asarray(stays))
