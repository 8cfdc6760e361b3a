"""Where an item's row begins when it is first taken: near what its first takers took before.

Until then it is the unknown one's (`growth`). Its first takers u tell of it

    row = unknown + s · Σ_u (h_u − h̄) / (n + k)

h_u is the mean of the rows, less the unknown one, of what u had taken before, h̄ their mean over all first
takes, n the number of the item's. s and k are those with which the same tells most of the rows of items that
were taken earlier, in least squares weighted by n: where takers tell nothing of items s is about 0, and how
little few of them tell is asked of the data (folding in: Sarwar et al. 2002; shrinkage: Efron & Morris 1975).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse  # type: ignore[import-untyped]

from components.features.rows import flat, offsets
from components.trainer.vocabulary import UNKNOWN, Vocabulary, look_up, lookup_table

PRIORS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Values of k that are tried."""
ENOUGH = 10
"""Earlier items, at least, that s and k are asked of."""


class Takers(NamedTuple):
    """Of each index of the vocabulary: its first takers' number, and Σ (h_u − h̄) over them.

    number: float64 [items]; total: float64 [items, dimension].
    """

    number: np.ndarray
    total: np.ndarray


def fold_in(table: np.ndarray, rows: pa.Table, items: Vocabulary, first: np.ndarray) -> np.ndarray:
    """`item/id` with those rows moved whose items, bool [items.size], are taken for the first time in `rows`.

    table: float32 [capacity, dimension]. All other rows stay bit-equal, and all of them where too few
    earlier items are in `rows` to ask.
    """
    unknown = table[UNKNOWN].astype(np.float64)
    own = table[: items.size] - unknown
    earlier = ~first
    earlier[UNKNOWN] = False
    takers = first_takers(rows, items, own, earlier)
    asked = earlier & (takers.number > 0)
    begins = first & (takers.number > 0)
    if asked.sum() < ENOUGH or not begins.any():
        return table
    slope, prior = line(Takers(takers.number[asked], takers.total[asked]), own[asked])
    folded = table.copy()
    folded[: items.size][begins] += slope * takers.total[begins] / (takers.number[begins] + prior)[:, None]
    return folded


def first_takers(rows: pa.Table, items: Vocabulary, own: np.ndarray, earlier: np.ndarray) -> Takers:
    """Takes of items that the user had not taken before, by users with `earlier` items in their history."""
    indices = lookup_table(items.ids)
    history = look_up(indices, flat(rows, "history_item"))
    of_row = np.repeat(np.arange(rows.num_rows), np.diff(offsets(rows, "history_item")))
    counts = earlier[history]
    had = _ones(of_row[counts], history[counts], (rows.num_rows, items.size))
    size = np.asarray(had.sum(axis=1)).ravel()
    means = (had @ own) / np.maximum(size, 1.0)[:, None]

    taken = look_up(indices, flat(rows, "item_id"))
    by_row = np.repeat(np.arange(rows.num_rows), np.diff(offsets(rows, "item_id")))
    tells = (np.asarray(flat(rows, "times_before")) == 0) & (size[by_row] > 0) & (taken != UNKNOWN)
    taken, by_row = taken[tells], by_row[tells]
    if len(by_row):
        means -= means[by_row].mean(axis=0)
    takes = _ones(taken, by_row, (items.size, rows.num_rows))
    return Takers(np.asarray(takes.sum(axis=1)).ravel(), np.asarray(takes @ means))


def line(takers: Takers, own: np.ndarray) -> tuple[float, float]:
    """(s, k) of items with these rows, float64 [items, dimension]; s is never below 0."""
    weight = takers.number[:, None]
    aim = own - (weight * own).sum(axis=0) / weight.sum()
    best = (0.0, PRIORS[0])
    least = float((weight * aim**2).sum())
    for prior in PRIORS:
        told = takers.total / (weight + prior)
        slope = float((weight * told * aim).sum() / max((weight * told**2).sum(), 1e-12))
        left = float((weight * (aim - slope * told) ** 2).sum())
        if slope > 0 and left < least:
            best, least = (slope, prior), left
    return best


def first_taken(items: Vocabulary, item_days: pa.Table, spans: Collection[int]) -> np.ndarray:
    """bool [items.size]: taken on days of `spans`, and on no other. item_days: of the data state after."""
    now = pc.is_in(item_days.column("span"), pa.array(sorted(spans), pa.int64()))
    ids = pa.array(items.ids, pa.string())
    today, other = (item_days.filter(one).column("item_id") for one in (now, pc.invert(now)))
    first = pc.and_not(pc.is_in(ids, today), pc.is_in(ids, other))
    return np.concatenate([[False], np.asarray(first)])


def _ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(row)), (row, column)), shape)
