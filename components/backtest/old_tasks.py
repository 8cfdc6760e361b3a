"""What a line keeps of the old task, row by row: how sure a mean over few held-out rows is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.backtest.intervals import NOTHING, Interval, pooled


def table(task: int, users: pa.Array, recalls: np.ndarray) -> pa.Table:
    """A row a held-out row of the task, in the task's order."""
    tasks = pa.array(np.full(len(recalls), task))
    return pa.table({"task": tasks, "user_id": users, "recall": pa.array(recalls, pa.float64())})


def mean(kept: pa.Table | None, resamples: int, seed: int) -> Interval:
    """Mean recall over the rows, its interval by bootstrap over users."""
    if kept is None:
        return NOTHING
    return _over_users(kept.column("user_id"), kept.column("recall").to_numpy(), resamples, seed)


def gap(
    kept: pa.Table | None, other: pa.Table | None, resamples: int, seed: int, share: float = 1.0
) -> Interval:
    """Mean recall less `share` of the other line's, paired by row; nothing where they have other rows."""
    if kept is None or other is None or not kept.drop(["recall"]).equals(other.drop(["recall"])):
        return NOTHING
    values = kept.column("recall").to_numpy() - share * other.column("recall").to_numpy()
    return _over_users(kept.column("user_id"), values, resamples, seed)


def _over_users(users: pa.ChunkedArray, values: np.ndarray, resamples: int, seed: int) -> Interval:
    told = ~np.isnan(values)
    whose = users.combine_chunks().dictionary_encode().indices.to_numpy()[told]
    rows = np.bincount(whose)
    means = np.bincount(whose, values[told]) / np.maximum(rows, 1)
    return pooled(means, rows, resamples, seed)
