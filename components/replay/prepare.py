"""The files of the replay step: rows of the days to be learned, the slice of the past, the held-out rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
from schemas.spans import date_of

NEW, REPLAY = "new", "replay"
SPLITS = (NEW, REPLAY, HELD_OUT)
BUFFER_FILE = "buffer.parquet"
META_FILE = "state.json"
"""Files of a model state that this step reads."""
HYPERPARAMETERS_FILE = "hyperparameters.txt"


@dataclass(frozen=True)
class Days:
    """Rows of some days: an Examples folder with splits `learn` and `held_out`, and the spans it covers."""

    folder: Path
    spans: tuple[int, ...]


def training_rows(
    days: list[Days], base_state: Path | None, config: dict[str, Any], span: int
) -> tuple[dict[str, pa.Table], list[int]]:
    """The tables by split, each sorted by user, span and timestamp; and the spans that are learned with them.

    These are the spans up to `span` that the base has not learned; where several of `days` (oldest first)
    cover one, the newest counts. `base_state`: the folder of the base's model state, which holds the
    reservoir; None for a first model.
    """
    wanted = _chosen(days, _spans_learned(base_state), span)
    if not wanted:
        raise ValueError(f"{date_of(span)}: there are no rows to learn; run ingest for it first")
    settings = ReplayConfig.model_validate(config.get("replay", {}))
    new, held_out = (
        canonical(concat(_of_spans(read_split(one.folder, split), one.spans) for one in wanted))
        for split in (LEARN, HELD_OUT)
    )
    replay = new.slice(0, 0)
    if base_state is not None:
        buffer = pq.read_table(base_state / BUFFER_FILE)
        replay = draw(buffer, new, settings.share, settings.cap, seed=config.get("seed", 0), span=span)
    spans = sorted(span for one in wanted for span in one.spans)
    return {NEW: new, REPLAY: replay, HELD_OUT: held_out}, spans


def _spans_learned(base_state: Path | None) -> set[int]:
    return set(json.loads((base_state / META_FILE).read_text())["spans_learned"]) if base_state else set()


def _chosen(days: list[Days], learned: set[int], last: int) -> list[Days]:
    """What to take from which folder: each unlearned span up to `last` from the newest that covers it."""
    taken, chosen = set(learned), []
    for one in reversed(days):
        spans = tuple(span for span in one.spans if span <= last and span not in taken)
        taken.update(spans)
        if spans:
            chosen.append(Days(one.folder, spans))
    return chosen[::-1]


def _of_spans(rows: pa.Table, spans: tuple[int, ...]) -> pa.Table:
    return rows.filter(pa.array(np.isin(np.asarray(scalar(rows, "span")), spans)))


def write(splits: dict[str, pa.Table], target: Path) -> None:
    """`Split-<name>/rows.parquet` below `target`."""
    for split, table in splits.items():
        path = target / f"Split-{split}" / ROWS_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)


def write_hyperparameters(folder: Path, told: dict[str, Any]) -> None:
    """What `run_fn` is told beside the rows, by the Trainer's executor."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HYPERPARAMETERS_FILE).write_text(json.dumps(told))
