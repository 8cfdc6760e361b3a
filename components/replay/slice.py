"""Which remembered rows a day learns again.

Uniform: the rows of lowest priority in the span's lottery. By recency: weighted sampling without
replacement, a row of age a having weight w = 2^(-a / half-life): of u uniform in (0, 1), the rows of lowest
-ln(u) / w (exponential keys: Efraimidis & Spirakis, "Weighted random sampling with a reservoir", IPL 2006).
Only the uniform slice has the mean loss of all that is remembered. Costs a hash a remembered row.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import scalar
from components.replay.config import ReplayConfig
from components.replay.identity import priorities
from components.replay.reservoir import lowest


def draw(buffer: pa.Table, new_rows: pa.Table, config: ReplayConfig, *, seed: int, span: int) -> pa.Table:
    """A slice of the reservoir, anew each span: `share` of it, at most `cap` × the day's rows.

    With a larger share or cap the same rows come, and more.
    """
    count = min(round(config.share * buffer.num_rows), int(config.cap * new_rows.num_rows))
    lottery = priorities(buffer, seed, span)
    if config.recency is None:
        return lowest(buffer, lottery, count)
    uniform = (lottery.astype(np.float64) + 1.0) / 2.0**64
    age = span - np.asarray(scalar(buffer, "span"), np.float64)
    # ln of the key: weights of old rows are too small to divide by.
    key = np.log(-np.log(np.minimum(uniform, 1.0 - 2.0**-53))) + np.log(2.0) * age / config.recency
    return lowest(buffer, key, count)
