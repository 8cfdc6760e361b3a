"""The files of the replay step: rows of the days to be learned, the slice of the past, the held-out rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.features.rows import concat, scalar
from components.features.stretch import ROWS_FILE, read_split
from components.replay.config import ReplayConfig
from components.replay.identity import canonical
from components.replay.slice import draw
from schemas.rows import HELD_OUT, LEARN

NEW, REPLAY = "new", "replay"
SPLITS = (NEW, REPLAY, HELD_OUT)
BUFFER_FILE = "buffer.parquet"
HYPERPARAMETERS_FILE = "hyperparameters.txt"


def training_rows(
    examples: list[Path], base_state: Path | None, config: dict[str, Any], span: int
) -> dict[str, pa.Table]:
    """The tables by split, each sorted by user, span and timestamp.

    `examples`: the artifacts of the days to be learned, with splits `learn` and `held_out`.
    `base_state`: the folder of the base's model state, which holds the reservoir; None for a first model.
    """
    if not examples:
        raise ValueError(f"span {span}: there are no rows to learn; run ingest for it first")
    settings = ReplayConfig.model_validate(config.get("replay", {}))
    new, held_out = (
        canonical(concat(read_split(one, split) for one in examples))
        for split in (LEARN, HELD_OUT)
    )
    replay = new.slice(0, 0)
    if base_state is not None:
        buffer = pq.read_table(base_state / BUFFER_FILE)
        replay = draw(buffer, new, settings.share, settings.cap, seed=config.get("seed", 0), span=span)
    return {NEW: new, REPLAY: replay, HELD_OUT: held_out}


def write(splits: dict[str, pa.Table], target: Path) -> None:
    """`Split-<name>/rows.parquet` below `target`."""
    for split, table in splits.items():
        path = target / f"Split-{split}" / ROWS_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)


def write_hyperparameters(folder: Path, told: dict[str, Any], splits: dict[str, pa.Table]) -> None:
    """What the Trainer must know beside the rows, and the spans of these; its executor hands it to `run_fn`."""
    spans = {int(one) for split in (NEW, HELD_OUT) for one in np.unique(scalar(splits[split], "span").to_numpy())}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HYPERPARAMETERS_FILE).write_text(json.dumps({**told, "spans": sorted(spans)}))
