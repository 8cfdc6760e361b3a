"""Exemplars by herding, as ADER keeps them in place of a uniform sample of what was learned.

Of an item with m places the k-th exemplar is the row whose vector φ(x) makes ‖μ - (φ(x) + Σ φ(e_j)) / k‖
smallest over j < k, with μ the mean of all of the item's rows (Welling, ICML 2009; Rebuffi et al., CVPR
2017, algorithm 4; Mi, Lin & Faltings, RecSys 2020, algorithm 1). φ is the query at length 1; an item has
places in proportion to its events so far; a row stands for the rarest of its items. What is kept depends on
the order in which days came. Costs a query a remembered row and day, once the memory is full.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.data_state import DataState
from components.features.rows import flat, offsets
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.ranker import Ranker
from components.trainer.state import ModelState

CHUNK_ROWS = 1024


def exemplars(state: ModelState, data: DataState, rows: pa.Table, count: int) -> pa.Table:
    """At most `count` of the rows, in their present order."""
    if rows.num_rows <= count:
        return rows
    vectors = queries(state, data, rows)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    whose, popularity = rarest_items(rows, data)
    sizes = np.bincount(whose, minlength=len(popularity))
    places = shared_out(popularity, sizes, count)
    by_item = np.argsort(whose, kind="stable")
    chosen = [
        mine[herded(vectors[mine], wanted)]
        for mine, wanted in zip(np.split(by_item, np.cumsum(sizes)[:-1]), places, strict=True)
        if wanted
    ]
    return rows.take(pa.array(np.sort(np.concatenate([np.zeros(0, np.int64), *chosen]))))


def rarest_items(rows: pa.Table, data: DataState) -> tuple[np.ndarray, np.ndarray]:
    """int64 [rows]: each row's item of fewest events, by number; float64 [items]: the events, at least 1."""
    events = data.item_days.group_by("item_id").aggregate([("events", "sum")])
    seen = dict(zip(events["item_id"].to_pylist(), events["events_sum"].to_pylist(), strict=True))
    items: pa.Array = flat(rows, "item_id")
    encoded = items.dictionary_encode()
    popularity = np.array([seen.get(item, 1) for item in encoded.dictionary.to_pylist()], np.float64)
    codes, bounds = encoded.indices.to_numpy().astype(np.int64), offsets(rows, "item_id")
    row = np.repeat(np.arange(rows.num_rows), np.diff(bounds))
    first = np.lexsort((codes, popularity[codes], row))[bounds[:-1]]
    return codes[first], popularity


def queries(state: ModelState, data: DataState, rows: pa.Table) -> np.ndarray:
    """float32 [rows, dimension]: what the model asks for each row."""
    lookups = Lookups(state)
    ranker = Ranker(state, lookups, data, price="price_before")
    users, histories = Users.encode(state, lookups, rows), Histories.encode(ranker.catalogue, rows)
    found = np.empty((rows.num_rows, state.config.dimension), np.float32)
    for start in range(0, rows.num_rows, CHUNK_ROWS):
        chunk = np.arange(start, min(start + CHUNK_ROWS, rows.num_rows))
        asked = ranker.queries({**users.of(chunk), **histories.of(chunk)})
        found[chunk] = asked[:, : state.config.dimension].numpy()
    return found


def shared_out(weights: np.ndarray, limits: np.ndarray, count: int) -> np.ndarray:
    """int64 [n]: `count` places in proportion to the weights, none above its limit.

    By highest averages: the next place is for the largest of weight / (2 · places + 1) (Sainte-Laguë).
    """
    whose = np.repeat(np.arange(len(limits)), limits)
    already = np.arange(len(whose)) - np.repeat(np.cumsum(limits) - limits, limits)
    averages = weights[whose] / (2 * already + 1)
    given = whose[np.argsort(-averages, kind="stable")[:count]]
    return np.bincount(given, minlength=len(limits))


def herded(vectors: np.ndarray, count: int) -> np.ndarray:
    """int64 [count]: the places of the exemplars among the vectors, float [n, d], in the order of choice."""
    mean, total = vectors.mean(axis=0), np.zeros(vectors.shape[1])
    left = np.ones(len(vectors), bool)
    chosen = np.empty(min(count, len(vectors)), np.int64)
    for k in range(len(chosen)):
        gaps = np.linalg.norm(mean - (vectors + total) / (k + 1), axis=1)
        chosen[k] = np.argmin(np.where(left, gaps, np.inf))
        left[chosen[k]] = False
        total += vectors[chosen[k]]
    return chosen
