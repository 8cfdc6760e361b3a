"""A stretch of days as a loop over `advance`, from folder to folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.features import rows
from components.features.advance import advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from schemas.rows import HELD_OUT, LEARN

ROWS_FILE = "rows.parquet"


def advance_stretch(
    before: DataState | None,
    days: Mapping[int, pa.Table],
    items: pa.Table | None,
    users: pa.Table | None,
    config: FeaturesConfig,
    weights: Mapping[str, float],
) -> tuple[pa.Table, pa.Table, DataState]:
    """`advance` over spans in ascending order: all rows to learn, all held out, the last data state."""
    learn, held, state = [], [], before
    for span in sorted(days):
        day_learn, day_held, state = advance(state, days[span], span, items, users, config, weights)
        learn.append(day_learn)
        held.append(day_held)
    if not days or state is None:
        raise ValueError("there is no day to advance over: name at least one span")
    return rows.concat(learn), rows.concat(held), state


def write_splits(folder: str | Path, learn: pa.Table, held: pa.Table) -> None:
    """`Split-learn/rows.parquet` and `Split-held_out/rows.parquet`; an empty split has its file, too."""
    for split, table in ((LEARN, learn), (HELD_OUT, held)):
        target = Path(folder) / f"Split-{split}"
        target.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, target / ROWS_FILE, compression="zstd")


def read_split(folder: str | Path, split: str) -> pa.Table:
    """The rows of one split of an Examples artifact's folder."""
    return pq.read_table(Path(folder) / f"Split-{split}" / ROWS_FILE)
