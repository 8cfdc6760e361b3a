"""A bounded uniform sample of everything learned.

Bottom-k sampling: each row has a fixed random priority and the `capacity` lowest stay. Whatever the
order in which rows arrive, and however often, what is kept is the same uniform sample of all of them
(Cohen & Kaplan, "Summarizing data using bottom-k sketches", PODC 2007); Vitter's reservoir has neither
property.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import concat
from components.replay.identity import canonical, priorities


def add(buffer: pa.Table | None, rows: pa.Table, capacity: int, seed: int) -> pa.Table:
    """The reservoir after `rows` were learned: at most `capacity` rows, sorted by user, span, timestamp.

    A feature that only one side has is missing in the other's rows.
    """
    pool = canonical(rows if buffer is None else concat([buffer, rows]))
    return lowest(pool, priorities(pool, seed), capacity).combine_chunks()


def lowest(rows: pa.Table, priority: np.ndarray, count: int) -> pa.Table:
    """The `count` rows of lowest priority, in their present order."""
    if rows.num_rows <= count:
        return rows
    keep = np.argsort(priority, kind="stable")[:count]
    return rows.take(pa.array(np.sort(keep)))
