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
from components.replay.identity import canonical, priorities

WEEK = 7


def add(buffer: pa.Table | None, rows: pa.Table, config: ReplayConfig, seed: int) -> pa.Table:
    """The reservoir after `rows` were learned: at most `capacity` rows, sorted by user, span, timestamp.

    A feature that only one side has is missing in the other's rows.
    """
    pool = canonical(rows if buffer is None else concat([buffer, rows]))
    priority = priorities(pool, seed)
    if config.memory == "stratified":
        weeks = np.asarray(scalar(pool, "span")) // WEEK
        return pool.take(pa.array(np.sort(evenly(weeks, priority, config.capacity)))).combine_chunks()
    return lowest(pool, priority, config.capacity).combine_chunks()


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
    keep = np.argsort(priority, kind="stable")[:count]
    return rows.take(pa.array(np.sort(keep)))
