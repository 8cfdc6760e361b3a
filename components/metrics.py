"""Ranking metrics a row, from 1-based ranks of the relevant items among the whole catalogue.

Ranks come flat, int64 [items of all rows], with `row` int64 [same] saying whose they are (0..rows-1).
Every function returns float64 [rows]; a row without a relevant item is NaN. Relevance is binary.
Definitions: recall@k = hits / min(k, relevant); NDCG@k after Järvelin & Kekäläinen (TOIS 2002) with the
ideal over the same minimum; MRR = 1 / rank of the best-placed relevant item.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import offsets


def owners(rows: pa.Table) -> np.ndarray:
    """Whose each relevant item is, in the flat order of the rows' `item_id` lists: int64 [items]."""
    return np.repeat(np.arange(rows.num_rows), np.diff(offsets(rows, "item_id")))


def _relevant(row: np.ndarray, rows: int) -> np.ndarray:
    counts = np.bincount(row, minlength=rows).astype(np.float64)
    counts[counts == 0] = np.nan
    return counts


def recall_at(k: int, ranks: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """Hits among the first k over the most hits possible."""
    hits = np.bincount(row, weights=ranks <= k, minlength=rows)
    return hits / np.minimum(k, _relevant(row, rows))


def ndcg_at(k: int, ranks: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """Discounted gain of the hits among the first k over that of the best order possible."""
    gain = np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)
    best_possible = np.concatenate([[np.nan], np.cumsum(1.0 / np.log2(2.0 + np.arange(k)))])
    relevant = np.minimum(k, np.bincount(row, minlength=rows))
    return np.bincount(row, weights=gain, minlength=rows) / best_possible[relevant]


def reciprocal_rank(ranks: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """One over the best rank of the row."""
    best = np.zeros(rows)
    np.maximum.at(best, row, 1.0 / ranks)
    return np.where(np.isnan(_relevant(row, rows)), np.nan, best)


def metric(name: str, ranks: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """A metric by its name: `recall_at_20`, `ndcg_at_10`, `mrr`."""
    if name == "mrr":
        return reciprocal_rank(ranks, row, rows)
    kind, k = name.rsplit("_at_", 1)
    return {"recall": recall_at, "ndcg": ndcg_at}[kind](int(k), ranks, row, rows)


def chance(relevant: np.ndarray, items: int, k: int) -> float:
    """Mean recall@k of a random order of `items`, for rows with so many relevant items (int [rows])."""
    if not len(relevant) or not items:
        return float("nan")
    return float(np.mean(min(k, items) * relevant / items / np.minimum(k, relevant)))


def overlap(before: np.ndarray, now: np.ndarray) -> float:
    """Churn's complement: the mean share of a list that stays, whatever its place. object [users, k] both."""
    if not before.size or not now.size:
        return float("nan")
    stay = [len(set(one) & set(other)) for one, other in zip(before, now, strict=True)]
    return float(np.mean(stay) / max(before.shape[1], now.shape[1]))
