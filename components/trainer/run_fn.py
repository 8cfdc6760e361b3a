"""The function that TFX's Trainer calls: files in, `learn`, files out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.features.data_state import DataState
from components.features.rows import empty_rows
from components.replay.prepare import MEMORIES, MEMORY_BUFFER, NEW, REPLAY
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.forward import learn_forward
from components.trainer.learn import Candidate, TrainingRows
from components.trainer.react import react
from components.trainer.state import ModelState
from schemas.rows import HELD_OUT

STATE, REPORT, ATTEMPTS = "state", "report.json", "attempts.json"


def run_fn(fn_args: Any) -> None:
    """Learns the splits `new` and `replay` of the examples on top of the base model, if there is one.

    `fn_args` is TFX's FnArgs. Hyperparameters: what the replay step wrote (config, data_state, spans,
    list_length). Writes `state/` with its `report.json` beside the serving folder, and the SavedModel;
    `attempts.json`, too, where there was more than one attempt.
    """
    told = fn_args.hyperparameters
    folders = {Path(pattern).parent for pattern in (*fn_args.train_files, *fn_args.eval_files)}
    folders |= {one for folder in folders for one in folder.parent.glob("Split-memory_*")}
    base = Path(fn_args.base_model).parent if fn_args.base_model else None
    candidate, data = learn_files(folders, base, told)
    serving = Path(fn_args.serving_model_dir)
    folder = serving.parent / STATE
    candidate.state.save(folder)
    (folder / REPORT).write_text(json.dumps(candidate.report, indent=2, sort_keys=True))
    if candidate.attempts:
        (folder / ATTEMPTS).write_text(json.dumps(candidate.attempts, indent=2, sort_keys=True))
    export(candidate.state, data, serving, told["list_length"])


def learn_files(
    splits: Iterable[Path], base: Path | None, told: Mapping[str, Any]
) -> tuple[Candidate, DataState]:
    """`react` on files, or `learn_forward` for a rebuild: what a model came from gives it again.

    splits: folders `Split-<name>` as the replay step writes them; base: folder of the base's Model artifact;
    told: hyperparameters of the replay step. Returns the data state as well.
    """
    by_name = {folder.name.removeprefix("Split-"): folder for folder in splits}
    rows = {split: _read(by_name, split) for split in (NEW, REPLAY, HELD_OUT)}
    data = DataState.load(Path(told["data_state"]))
    state = ModelState.load(base / STATE) if base else None
    if state and MEMORY_BUFFER in by_name:  # days were ingested again: what is remembered of them follows
        buffer, held_out = (_read(by_name, name) for name in MEMORIES)
        state = replace(state, buffer=buffer, held_out=held_out)
    spans, corrected = tuple(told["spans"]), tuple(told.get("corrected", ()))
    training = TrainingRows(rows[NEW], rows[REPLAY], rows[HELD_OUT], data, spans, corrected)
    config = LearnConfig.model_validate(told["config"])
    if days_at_once := told.get("days_at_once", 0):
        return learn_forward(training, config, days_at_once), data
    return react(state, training, config), data


def _read(splits: Mapping[str, Path], name: str) -> pa.Table:
    """The rows of one split; none where there is no such split."""
    if name in splits:
        return pq.ParquetFile(next(iter(sorted(splits[name].glob("*.parquet"))))).read()
    if name == NEW:
        raise ValueError(f"the examples have no split {name!r}: let the Trainer's train_args name it")
    return empty_rows()
