"""What a day of five events does to the old and to the new: the first model before and after it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data_efficiency.walking import Step, taught
from components.backtest.asked import Asked, as_of_morning
from components.backtest.config import BacktestConfig
from components.backtest.intervals import pooled
from components.backtest.tasks import Task
from components.replay.identity import priorities
from components.trainer.config import LearnConfig
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState

EVENTS = 5
_TINY = 2


def tiny(rows: pa.Table, seed: int, events: int = EVENTS) -> pa.Table:
    """Rows drawn by lot that hold `events` items together, or as few more as rows allow."""
    drawn = rows.take(pa.array(np.argsort(priorities(rows, seed, _TINY))))
    held = np.cumsum(pc.list_value_length(drawn.column("item_id")).to_numpy())
    return drawn.slice(0, int(np.searchsorted(held, events)) + 1)


def _asked(model: ModelState, asked: Asked, step: Step, k: int) -> dict[str, float]:
    return asked.measure(Scorer(model, as_of_morning(step.day.before)), (f"recall_at_{k}",))


def measure(
    steps: Iterable[Step], old: Task, config: BacktestConfig, learn_config: LearnConfig
) -> list[dict[str, object]]:
    """A row a task: recall of the first model, and its difference after a tiny day, 95% over days.

    Each day of the window is its own tiny day on top of the first model; the day after it is what is new.
    """
    k = config.k
    found: dict[str, list[tuple[float, float, float]]] = {"old task": [], "next day": [], "next day, new": []}
    learned: ModelState | None = None
    for step in steps:
        if learned is not None:
            before, after = (_asked(model, step.day.asked, step, k) for model in (step.stale, learned))
            for name, view in (("next day", "all"), ("next day, new", "new")):
                key = f"recall_at_{k}_{view}"
                found[name].append((before[key], after[key], before[f"rows_{view}"]))
        learned = taught(step.stale, tiny(step.day.learn, config.seed), step.day, learn_config)
        before_it, after_it = (old.accuracy(model, k) for model in (step.stale, learned))
        found["old task"].append((before_it, after_it, float(old.rows.num_rows)))
    table: list[dict[str, object]] = []
    for name, values in found.items():
        before_, after_, rows = np.array(values).T if values else np.zeros((3, 0))
        base = pooled(before_, rows, config.resamples, config.seed)
        change = pooled(after_ - before_, rows, config.resamples, config.seed)
        told = {"before": base.estimate, "change": change.estimate, "low": change.low, "high": change.high}
        table.append({"what": name, "days": len(rows), **told})
    return table
