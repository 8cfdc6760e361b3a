"""A bounded uniform sample of everything learned.

Bottom-k sampling: each row has a fixed random priority and the `capacity` lowest stay. Whatever the
order in which rows arrive, and however often, what is kept is the same uniform sample of all of them
(Cohen & Kaplan, "Summarizing data using bottom-k sketches", PODC 2007); Vitter's reservoir has neither
property. Time-stratified, the same is done within each week, and weeks have as equal a part as they have
rows: an old week thins as weeks come, but never to nothing before the others do.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import concat, scalar
from components.replay.config import ReplayConfig
from components.replay.identity import canonical_order, priorities

WEEK = 7


def add(buffer: pa.Table | None, rows: pa.Table, config: ReplayConfig, seed: int) -> pa.Table:
    """The reservoir after `rows` were learned: at most `capacity` rows, sorted by user, span, timestamp.

    A feature that only one side has is missing in the other's rows.
    """
    pool = rows if buffer is None else concat([buffer, rows])
    # Rows are copied once, at the end: with their histories 50,000 of them are half a gigabyte.
    order = canonical_order(pool)
    priority = priorities(pool, seed)[order]
    if config.memory == "stratified":
        weeks = np.asarray(scalar(pool, "span"))[order] // WEEK
        kept = np.sort(evenly(weeks, priority, config.capacity))
    else:
        kept = lowest_places(priority, config.capacity)
    return pool.take(pa.array(order[kept])).combine_chunks()


def evenly(strata: np.ndarray, priority: np.ndarray, count: int) -> np.ndarray:
    """Places of `count` rows, as evenly over the strata (int [rows]) as these have rows: int64, unordered.

    Within a stratum the rows of lowest priority stay, so that one that was dropped never comes back.
    """
    by_stratum = np.lexsort((priority, strata))
    ordered = strata[by_stratum]
    turn = np.arange(len(strata)) - np.searchsorted(ordered, ordered)  # a row's place within its stratum
    return by_stratum[np.lexsort((priority[by_stratum], turn))][:count]


def lowest(rows: pa.Table, priority: np.ndarray, count: int) -> pa.Table:
    """The `count` rows of lowest priority, in their present order."""
    if rows.num_rows <= count:
        return rows
    return rows.take(pa.array(lowest_places(priority, count)))


def lowest_places(priority: np.ndarray, count: int) -> np.ndarray:
    """Places of the `count` lowest priorities, ascending."""
    return np.sort(np.argsort(priority, kind="stable")[:count])
