"""What a day ten times as busy does to the old and to the new, by how much of the past it learns again.

Ten days of the log become one: everybody takes in a day what they took in ten, as in a sale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
import pyarrow as pa

from benchmarks.data_efficiency.walking import Step
from components.backtest.config import BacktestConfig
from components.backtest.intervals import pooled
from components.backtest.tasks import Task
from components.backtest.walk import Source
from components.features.advance import advance
from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import TrainingRows, learn
from schemas.events import TIMESTAMP
from schemas.spans import start_of

DAYS = 10
SHARES = (0.0, 0.1, 0.5)
"""Of the remembered rows, and at most as many as the day's own; a tenth is the default's."""

One = TypeVar("One")


def stretches(days: Iterable[One], length: int) -> Iterator[list[One]]:
    """Days after one another, so many at a time; what is left over at the end is none."""
    ahead = iter(days)
    while len(stretch := list(islice(ahead, length))) == length:
        yield stretch


def pressed(events: Sequence[pa.Table], span: int) -> pa.Table:
    """The events of the spans from `span` on as those of that one day, in the same order."""
    every = pa.concat_tables(events)
    start = start_of(span)
    since = every.column("timestamp").cast(pa.int64()).to_numpy() - start
    timestamp = pa.array(start + since // len(events)).cast(TIMESTAMP)
    place = every.column_names.index("timestamp")
    return every.set_column(place, every.schema.field(place), timestamp)


def measure(
    source: Source, steps: Iterable[Step], old: Task, config: BacktestConfig, learn_config: LearnConfig
) -> list[dict[str, object]]:
    """A row a share of replay: rows replayed, and what changes against the first model, 95% over busy days.

    Each busy day is learned on top of the first model. Own: its own user-days that are never learned.
    """
    found: dict[float, list[tuple[float, ...]]] = {share: [] for share in SHARES}
    for days in stretches(steps, DAYS):
        day, first = days[0].day, days[0].stale
        events = pressed([source.events(one.day.span) for one in days], day.span)
        new, held_out, after = advance(
            day.before, events, day.span, source.items, source.users, source.features, source.weights
        )
        tasks = old, Task.of(held_out, after, config)
        before = [task.accuracy(first, config.k) for task in tasks]
        for share in SHARES:
            replay = learn_config.replay.model_copy(update={"share": share})
            again = draw(first.buffer, new, replay, seed=config.seed, span=day.span)
            rows = TrainingRows(new, again, held_out, after, (day.span,))
            state = learn(first, rows, learn_config).state
            changes = [task.accuracy(state, config.k) - was for task, was in zip(tasks, before, strict=True)]
            counts = [float(task.rows.num_rows) for task in tasks]
            found[share].append((new.num_rows, again.num_rows, *before, *changes, *counts))
    return [_told(share, np.array(values), config) for share, values in found.items() if values]


def _told(share: float, values: np.ndarray, config: BacktestConfig) -> dict[str, object]:
    new, again, *by_task = values.T
    told: dict[str, object] = {"share": share, "days": len(values)}
    told |= {"rows": int(new.mean()), "replayed": int(again.mean())}
    for name, *recalls, count in zip(
        ("old task", "own"), by_task[:2], by_task[2:4], by_task[4:], strict=True
    ):
        before, change = (pooled(one, count, config.resamples, config.seed) for one in recalls)
        told |= {f"{name} before": before.estimate, f"{name}, change": change.estimate}
        told |= {f"{name}, low": change.low, f"{name}, high": change.high}
    return told
