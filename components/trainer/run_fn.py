"""The function that TFX's Trainer calls: files in, `learn`, files out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.features.data_state import DataState
from components.features.rows import empty_rows
from components.replay.prepare import NEW, REPLAY
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.learn import TrainingRows, learn
from components.trainer.state import ModelState
from schemas.rows import HELD_OUT

STATE, REPORT = "state", "report.json"


def run_fn(fn_args: Any) -> None:
    """Learns the splits `new` and `replay` of the examples on top of the base model, if there is one.

    `fn_args` is TFX's FnArgs. Hyperparameters: what the replay step wrote (config, data_state, spans,
    list_length). Writes `state/` with its `report.json` beside the serving folder, and the SavedModel.
    """
    told = fn_args.hyperparameters
    files = [*fn_args.train_files, *fn_args.eval_files]
    rows = {split: _read(files, split) for split in (NEW, REPLAY, HELD_OUT)}
    data = DataState.load(Path(told["data_state"]))
    base = ModelState.load(Path(fn_args.base_model).parent / STATE) if fn_args.base_model else None
    candidate = learn(
        base,
        TrainingRows(rows[NEW], rows[REPLAY], rows[HELD_OUT], data, tuple(told["spans"])),
        LearnConfig.model_validate(told["config"]),
    )
    serving = Path(fn_args.serving_model_dir)
    folder = serving.parent / STATE
    candidate.state.save(folder)
    (folder / REPORT).write_text(json.dumps(candidate.report, indent=2, sort_keys=True))
    export(candidate.state, data, serving, told["list_length"])


def _read(patterns: list[str], split: str) -> pa.Table:
    """The rows of one split; `patterns` are `<examples>/Split-<name>/*`."""
    for pattern in patterns:
        if Path(pattern).parent.name == f"Split-{split}":
            return pq.ParquetFile(next(iter(sorted(Path(pattern).parent.glob("*.parquet"))))).read()
    if split == NEW:
        raise ValueError(f"the examples have no split {split!r}: let the Trainer's train_args name it")
    return empty_rows()
