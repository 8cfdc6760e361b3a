"""Tasks of the accuracy matrix: held-out rows of some days, over the catalogue frozen at their end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from components.backtest.asked import seen_before
from components.backtest.config import BacktestConfig
from components.features import rows as layout
from components.features.data_state import DataState, empty_tables
from components.metrics import chance, metric, owners
from components.replay.identity import priorities
from components.replay.reservoir import lowest
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState


@dataclass(frozen=True)
class Task:
    rows: pa.Table
    data: DataState
    """As of the task's end: no later item is in its catalogue."""

    @classmethod
    def of(cls, held_out: pa.Table, data: DataState, config: BacktestConfig) -> Task:
        """A bounded seeded sample of the held-out rows of users seen before."""
        rows = seen_before(held_out)
        rows = lowest(rows, priorities(rows, config.seed), config.task_rows).combine_chunks()
        none = empty_tables()
        return cls(rows, replace(data, history=none["history"], users=data.users))

    @property
    def users(self) -> pa.Array:
        """string [rows]."""
        return layout.scalar(self.rows, "user_id")

    def recalls(self, state: ModelState, k: int) -> np.ndarray:
        """float64 [rows]: recall@k of a model on the task's rows."""
        if not self.rows.num_rows:
            return np.zeros(0)
        ranks = Scorer(state, self.data).ranks(self.rows)
        return metric(f"recall_at_{k}", ranks, owners(self.rows), self.rows.num_rows)

    def accuracy(self, state: ModelState, k: int) -> float:
        """Mean recall@k of a model on the task; NaN where the task has no row."""
        return mean_of(self.recalls(state, k))

    def untrained(self, k: int) -> float:
        """What a random order reaches."""
        relevant = np.diff(layout.offsets(self.rows, "item_id"))
        return chance(relevant, self.data.catalogue.num_rows, k)


def mean_of(recalls: np.ndarray) -> float:
    """NaN where there is no row."""
    return float(np.nanmean(recalls)) if len(recalls) else float("nan")


def last_days(held_out: pa.Table, config: BacktestConfig) -> pa.Table:
    """Task 0 of the bootstrap's held-out rows."""
    spans = np.asarray(layout.scalar(held_out, "span"))
    return held_out.filter(pa.array(spans >= config.start - config.first_task_days))
