"""What is compared: ways to keep the one model up to date, retraining it from all data, a session kNN."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.ader.knn import SessionKnn
from benchmarks.ader.ranking import ranks
from benchmarks.ader.rows import data_state, rows, span
from benchmarks.ader.sessions import Cases, Sessions
from components.features.rows import concat, empty_rows
from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import TrainingRows, learn
from components.trainer.state import ModelState

MEMORY = 30_000
SESSIONS: dict[str, Any] = {
    "dimension": 100,
    "half_lives": (1.0, 4.0, 30.0),
    "encoder": "attention",
    "cosine": True,
    "temperature": 0.08,
    "dropout": 0.4,
    "table_rate": 0.1,
    "repeat_offset": 3.0,
    "batch_rows": 512,
    "uniform_negatives": 2048,
    "first_epochs": 6,
    "epochs": 3,
    "rate_steps": 0,
    "average_steps": 1,
    "discovery": 0.0,
    "holdout_share": 0.0,
    "behavior_weights": {"click": 1.0},
    "replay": {"capacity": MEMORY, "share": 1.0, "cap": 0.5},
}
"""The model for sessions, chosen on the first two updates. All rows are learned: later weeks are the test."""


class Line(Protocol):
    """Learns period after period and answers the next one."""

    def learn(self, periods: Sequence[Sessions]) -> float:
        """Learns the last of these periods; row-passes that it took."""

    def ranks(self, sessions: Sessions) -> np.ndarray:
        """int64 [cases]: ranks of the answers of the next period's sessions."""

    def save(self, folder: Path) -> None:
        """Keeps what was learned."""

    def restore(self, folder: Path, periods: Sequence[Sessions]) -> None:
        """As after these periods were learned."""


@dataclass
class ModelLine:
    """The one model. afresh: from nothing at every update, from all rows so far."""

    overrides: Mapping[str, Any]
    seed: int
    afresh: bool = False
    state: ModelState | None = None
    periods: Sequence[Sessions] = field(default=())

    def learn(self, periods: Sequence[Sessions]) -> float:
        self.periods = periods
        config = LearnConfig.model_validate({**SESSIONS, **self.overrides, "seed": self.seed})
        last, base = len(periods) - 1, self.state
        new = rows(periods[-1], last)
        replay = nothing = empty_rows(new.schema)
        if self.afresh:
            base, new = None, concat(rows(one, period) for period, one in enumerate(periods))
        elif base is not None:
            replay = draw(base.buffer, new, config.replay, seed=self.seed, span=span(last))
        candidate = learn(base, TrainingRows(new, replay, nothing, data_state(periods)), config)
        self.state = candidate.state
        return candidate.report["rows_trained"]

    def ranks(self, sessions: Sessions) -> np.ndarray:
        if self.state is None:
            raise ValueError("nothing was learned: call `learn` first")
        return ranks(self.state, data_state(self.periods), rows(sessions, len(self.periods)))

    def save(self, folder: Path) -> None:
        if self.state is not None:
            shutil.rmtree(folder, ignore_errors=True)
            self.state.save(folder)

    def restore(self, folder: Path, periods: Sequence[Sessions]) -> None:
        self.state, self.periods = ModelState.load(folder), periods


@dataclass
class KnnLine:
    """The peer; learns nothing but what there is."""

    model: SessionKnn = field(default_factory=SessionKnn)

    def learn(self, periods: Sequence[Sessions]) -> float:
        self.model.learn(periods[-1])
        return 0.0

    def ranks(self, sessions: Sessions) -> np.ndarray:
        return self.model.ranks(Cases.of(sessions))

    def save(self, folder: Path) -> None:
        """There is nothing but the sessions."""

    def restore(self, folder: Path, periods: Sequence[Sessions]) -> None:
        for one in periods:
            self.model.learn(one)


MODELS: dict[str, dict[str, Any]] = {
    "bags": {"encoder": "bags"},
    "fine-tune": {"replay": {**SESSIONS["replay"], "share": 0.0}},
    "replay": {},
    "recent": {"replay": {**SESSIONS["replay"], "recency": 7.0}},
    "herding": {"replay": {**SESSIONS["replay"], "memory": "herding"}},
    "replay in one pass": {"epochs": 1, "later_rate": 1.0},
    "replay + distillation": {"distill": 1.0},
    "joint": {},
}
KNN, JOINT = "session kNN", "joint"
NAMES = (KNN, *MODELS)


def line(name: str, seed: int) -> Line:
    """ValueError names what there is."""
    if name == KNN:
        return KnnLine()
    if name not in MODELS:
        raise ValueError(f"{name!r} is no line: choose of {', '.join(NAMES)}")
    return ModelLine(MODELS[name], seed, afresh=name == JOINT)
