"""Exemplars by herding, as ADER keeps them in place of a uniform sample.

Of an item with m places the k-th exemplar is the row whose vector φ(x) makes ‖μ - (φ(x) + Σ φ(e_j)) / k‖
smallest over j < k, with μ the mean of all of the item's rows (Welling, ICML 2009; Rebuffi et al., CVPR 2017,
algorithm 4; Mi, Lin & Faltings, RecSys 2020, algorithm 1). φ is the query at length 1; an item has places in
proportion to its views so far. A row's item is its answer. Costs a query a row that there is to choose from.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.ader.ranking import queries
from components.features.data_state import DataState
from components.features.rows import flat
from components.trainer.state import ModelState


def exemplars(state: ModelState, data: DataState, rows: pa.Table, count: int) -> pa.Table:
    """At most `count` of the rows, in their present order; each has one item."""
    vectors = queries(state, data, rows)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    views = data.item_days.group_by("item_id").aggregate([("events", "sum")])
    seen = dict(zip(views["item_id"].to_pylist(), views["events_sum"].to_pylist(), strict=True))
    answers: pa.Array = flat(rows, "item_id")
    encoded = answers.dictionary_encode()
    whose = encoded.indices.to_numpy()
    popularity = np.array([seen[item] for item in encoded.dictionary.to_pylist()], np.float64)
    places = shared_out(popularity, np.bincount(whose), count)
    by_item = np.argsort(whose, kind="stable")
    ends = np.cumsum(np.bincount(whose))
    chosen = [
        mine[herded(vectors[mine], wanted)]
        for mine, wanted in zip(np.split(by_item, ends[:-1]), places, strict=True)
        if wanted
    ]
    return rows.take(pa.array(np.sort(np.concatenate(chosen))))


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
