"""The rows that every side learns, and where a first pass has left the model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import logs
from components.backtest.config import BacktestConfig
from components.backtest.walk import prepare
from components.features.data_state import DataState
from components.replay.identity import canonical, priorities
from components.replay.reservoir import lowest
from components.trainer.learn import TrainingRows
from components.trainer.state import ModelState
from components.trainer.steps import Steps
from schemas.home import Home

STATE = "state"
_LOT = 3


def write(home: Home, log: str, days: int, count: int, seed: int, folder: Path) -> int:
    """Draws rows of the log's first days into `folder`; how many there are."""
    config = BacktestConfig(start=logs.FIRST[log] + days, days=1, bootstrap_days=days, tune_days=())
    prepared = prepare(logs.source(home), config, folder / "prepared")
    rows = canonical(lowest(prepared.learn, priorities(prepared.learn, seed, _LOT), count))
    prepared.data.save(folder / "data")
    pq.write_table(rows, folder / "rows.parquet")
    return rows.num_rows


def read(folder: Path) -> tuple[pa.Table, DataState]:
    return pq.read_table(folder / "rows.parquet"), DataState.load(folder / "data")


def training_rows(folder: Path) -> TrainingRows:
    rows, data = read(folder)
    return TrainingRows(rows, rows.slice(0, 0), rows.slice(0, 0), data)


def encoded(folder: Path) -> tuple[ModelState, Steps, DataState]:
    """The model after its first pass, and the rows as index arrays: what the other sides start from."""
    rows, data = read(folder)
    state = ModelState.load(folder / STATE)
    return state, Steps(state, rows, data, state.config), data
