"""Which remembered rows a day learns again."""

from __future__ import annotations

import pyarrow as pa

from components.replay.identity import priorities
from components.replay.reservoir import lowest


def draw(
    buffer: pa.Table, new_rows: pa.Table, share: float = 0.10, cap: float = 2.0, *, seed: int, span: int
) -> pa.Table:
    """A uniform slice of the reservoir, anew each span: `share` of it, at most `cap` × the day's rows."""
    count = min(round(share * buffer.num_rows), int(cap * new_rows.num_rows))
    return lowest(buffer, priorities(buffer, seed, span), count)
