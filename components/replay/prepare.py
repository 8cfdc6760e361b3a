"""The files of the replay step: rows of the days to be learned, the slice of the past, the held-out rows."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.features.rows import concat, scalar
from components.features.stretch import ROWS_FILE, read_split
from components.replay.config import ReplayConfig
from components.replay.corrections import added, exchanged
from components.replay.identity import canonical
from components.replay.slice import draw
from schemas.rows import HELD_OUT, LEARN
from schemas.spans import date_of

NEW, REPLAY = "new", "replay"
SPLITS = (NEW, REPLAY, HELD_OUT)
MEMORY_BUFFER, MEMORY_HELD_OUT = MEMORIES = ("memory_buffer", "memory_held_out")
"""What the base remembers, as it is now: written where days that it has learned were ingested again."""
BUFFER_FILE, HELD_OUT_FILE = "buffer.parquet", "held_out.parquet"
META_FILE = "state.json"
"""Files of a model state that this step reads."""
HYPERPARAMETERS_FILE = "hyperparameters.txt"


@dataclass(frozen=True)
class Days:
    """Rows of some days: an Examples folder with splits `learn` and `held_out`, and the spans it covers."""

    folder: Path
    spans: tuple[int, ...]


@dataclass(frozen=True)
class Corrections:
    """Learned spans that have other events now, and training rows of the versions that learned them."""

    spans: frozenset[int] = frozenset()
    learned_from: tuple[Path, ...] = ()


NONE = Corrections()


def training_rows(
    days: list[Days],
    base_state: Path | None,
    config: dict[str, Any],
    span: int,
    corrections: Corrections = NONE,
) -> tuple[dict[str, pa.Table], list[int]]:
    """The tables by split, each sorted by user, span and timestamp; and the spans that are learned with them.

    These are the spans up to `span` that the base has not learned; where several of `days` (oldest first)
    cover one, the newest counts. `base_state`: the folder of the base's model state, which holds the
    reservoir; None for a first model. Where days that the base has learned were ingested again, there are
    its memories as they are then, too (splits MEMORIES), and of corrected days the difference is learned.
    """
    learned = spans_learned(base_state)
    wanted = _chosen(days, learned, span)
    if not wanted:
        raise ValueError(f"{date_of(span)}: there are no rows to learn; run ingest for it first")
    settings = ReplayConfig.model_validate(config.get("replay", {}))
    new, held_out = (_rows(wanted, split) for split in (LEARN, HELD_OUT))
    splits: dict[str, pa.Table] = {}
    if base_state is not None:
        buffer = pq.read_table(base_state / BUFFER_FILE)
        if again := _chosen(days, set(), span, only=learned):
            new, held_out, splits = _corrected(new, held_out, again, base_state, corrections)
            buffer = splits[MEMORY_BUFFER]
        replay = draw(buffer, new, settings, seed=config.get("seed", 0), span=span)
    else:
        replay = new.slice(0, 0)
    spans = sorted(span for one in wanted for span in one.spans)
    return {NEW: new, REPLAY: replay, HELD_OUT: held_out, **splits}, spans


def _corrected(
    new: pa.Table, held_out: pa.Table, again: list[Days], base_state: Path, corrections: Corrections
) -> tuple[pa.Table, pa.Table, dict[str, pa.Table]]:
    """New rows and held-out rows with the difference of corrected days, and the base's memories of today."""
    spans = {span for one in again for span in one.spans}
    now, held_now = (_rows(again, split) for split in (LEARN, HELD_OUT))
    memories = {
        MEMORY_BUFFER: exchanged(pq.read_table(base_state / BUFFER_FILE), now, spans, whole_day=False),
        MEMORY_HELD_OUT: exchanged(
            pq.read_table(base_state / HELD_OUT_FILE), held_now, spans, whole_day=True
        ),
    }
    if of_corrected := tuple(corrections.spans):
        then = concat(of_spans(read_split(folder, NEW), of_corrected) for folder in corrections.learned_from)
        new = canonical(concat([new, added(of_spans(now, of_corrected), then)]))
        held_out = canonical(concat([held_out, of_spans(held_now, of_corrected)]))
    return new, held_out, {name: canonical(table) for name, table in memories.items()}


def _rows(days: list[Days], split: str) -> pa.Table:
    return canonical(concat(of_spans(read_split(one.folder, split), one.spans) for one in days))


def spans_learned(base_state: Path | None) -> set[int]:
    """What the model in the folder of a model state has learned; nothing where there is none."""
    return set(json.loads((base_state / META_FILE).read_text())["spans_learned"]) if base_state else set()


def _chosen(
    days: list[Days], learned: set[int], last: int, only: Collection[int] | None = None
) -> list[Days]:
    """What to take from which folder: each unlearned span up to `last` from the newest that covers it."""
    taken, chosen = set(learned), []
    for one in reversed(days):
        spans = tuple(
            span
            for span in one.spans
            if span <= last and span not in taken and (only is None or span in only)
        )
        taken.update(spans)
        if spans:
            chosen.append(Days(one.folder, spans))
    return chosen[::-1]


def of_spans(rows: pa.Table, spans: Collection[int]) -> pa.Table:
    return rows.filter(pa.array(np.isin(np.asarray(scalar(rows, "span")), list(spans))))


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
