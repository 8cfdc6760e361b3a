"""A line that is the model under a strategy: asked about a day (`Scorer.ranks`), then taught it (`learn`)."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.backtest import old_tasks
from components.backtest.asked import as_of_morning
from components.backtest.config import BacktestConfig
from components.backtest.journal import Journal, Record
from components.backtest.peer_line import metric_names
from components.backtest.strategies import Strategy
from components.backtest.tasks import Task, mean_of
from components.backtest.walk import Day, Prepared
from components.features import rows as layout
from components.metrics import overlap
from components.replay.config import ReplayConfig
from components.replay.identity import priorities
from components.replay.reservoir import lowest
from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import Candidate, TrainingRows, learn
from components.trainer.moment import push_rows
from components.trainer.react import react
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState

LATER = (
    "later_rate", "rate_steps", "epochs", "pull", "pull_by", "old_share", "distill", "distill_temperature",
    "reaction",
)  # fmt: skip
"""Settings by which a first model is not learned otherwise."""
_OF_DAY = 1
"""Salt of this lottery: the reservoir's own would keep whatever comes through it."""


@dataclass(frozen=True)
class Rows:
    """All rows of the days so far: what a full retrain learns."""

    learn: Sequence[pa.Table]
    held_out: Sequence[pa.Table]
    spans: range


class ModelLine:
    kind = "strategy"

    def __init__(
        self,
        strategy: Strategy,
        learn_config: LearnConfig,
        config: BacktestConfig,
        journal: Journal,
        prepared: Prepared,
        bootstraps: Path,
    ) -> None:
        self.name, self.strategy, self.config, self.journal = strategy.name, strategy, config, journal
        self.learn_config = strategy.config(learn_config)
        journal.belongs_to(dataclasses.asdict(strategy))
        self._prepared, self._bootstraps = prepared, bootstraps
        self._state: ModelState | None = None
        self._lists: np.ndarray | None = None

    @property
    def state(self) -> ModelState:
        """As of the last day that is done."""
        if self._state is None:
            self._state = self._state_after(self.journal.last)
        return self._state

    def _state_after(self, span: int | None) -> ModelState:
        found = self.journal.state(span) if span is not None else None
        if found is None and self.journal.days and self.strategy.learns:
            raise ValueError(
                f"{self.journal.folder} has lost its model state: remove it to start the line anew"
            )
        return found or self._bootstrap()

    def _bootstrap(self) -> ModelState:
        """The first model, shared by all lines that learn it alike."""
        default, given = LearnConfig(), self.learn_config
        alike = given.model_copy(
            update={name: getattr(default, name) for name in LATER}
            | {"replay": ReplayConfig(capacity=given.replay.capacity, memory=given.replay.memory)}
        )
        digest = hashlib.sha256(alike.model_dump_json().encode()).hexdigest()[:12]
        folder = self._bootstraps / digest
        report = folder / "report.json"
        if not report.exists():
            one = self._prepared
            spans = tuple(range(self.config.first, self.config.start))
            rows = TrainingRows(one.learn, one.learn.slice(0, 0), one.held_out, one.data, spans)
            candidate = learn(None, rows, alike)
            candidate.state.save(folder)
            report.write_text(json.dumps(candidate.report, indent=1))
        told = json.loads(report.read_text())
        self.journal.note("bootstrap", lambda: {"rows_trained": _trained(told), "seconds": told["seconds"]})
        return ModelState.load(folder)

    def day(self, day: Day, so_far: Rows, tasks: Sequence[Task]) -> Record:
        """Asks, teaches, and at a task's end fills the task's row of the accuracy matrix."""
        started = time.perf_counter()
        state = self.state
        age = day.span - 1 - max(state.spans_learned, default=self.config.start - 1)
        scorer = Scorer(state, as_of_morning(day.before))
        record: Record = {"span": day.span, "age": age}
        record |= day.asked.measure(scorer, metric_names(self.config.k))
        record["seconds_scoring"] = time.perf_counter() - started
        candidate = self._taught(state, day, so_far)
        report = candidate.report if candidate else {}
        self._state = candidate.state if candidate else state
        if candidate:
            gc.collect()  # a compiled step is a circle of objects, and tens of megabytes behind them
        record |= {"rows_trained": _trained(report), "seconds_learning": report.get("seconds", 0.0)}
        record |= {"diverged": report.get("diverged", 0.0), "attempts": report.get("attempts", 1.0)}
        record["probe_loss"] = report.get("probe_loss", float("nan"))
        record |= {f"overlap_at_{self.config.k}": self._overlap(day)}
        ends = self.config.ends_task(day.span)
        if ends and any(task.rows.num_rows for task in tasks):
            self._judge(tasks)
        last_end = self.config.start - 1 + (self.config.task_of(day.span) - 1) * self.config.task_days
        self.journal.append(
            record, self._state if self.strategy.learns else None, () if ends else (last_end,)
        )
        return record

    def _taught(self, state: ModelState, day: Day, so_far: Rows) -> Candidate | None:
        every = self.strategy.retrain_every
        if every and (day.span + 1 - self.config.start) % every == 0:
            everything, held_out = layout.concat(so_far.learn), layout.concat(so_far.held_out)
            nothing = everything.slice(0, 0)
            rows = TrainingRows(everything, nothing, held_out, day.after, tuple(so_far.spans))
            return learn(None, rows, self.learn_config)
        if not self.strategy.daily:
            return None
        one, new = self.learn_config, self._of_day(day)
        old = draw(state.buffer, new, one.replay, seed=one.seed, span=day.span)
        return react(state, TrainingRows(new, old, day.held_out, day.after, (day.span,)), one)

    def _of_day(self, day: Day) -> pa.Table:
        """The day's rows, or the strategy's share of them; a larger share holds the smaller one."""
        share = self.strategy.day_share
        if share == 1:
            return day.learn
        lottery = priorities(day.learn, self.config.seed, day.span, _OF_DAY)
        return lowest(day.learn, lottery, round(share * day.learn.num_rows))

    def _overlap(self, day: Day) -> float:
        """How much of yesterday's lists of the same users stays, by new weights and by new data."""
        if not self.config.churn_users:
            return float("nan")
        users = self._prepared.data.history.column("user_id").unique()[: self.config.churn_users]
        lists, _ = Scorer(self.state, day.after).top_k(push_rows(day.after, users), self.config.k)
        before, self._lists = self._lists, lists
        return float("nan") if before is None else overlap(before, lists)

    def _judge(self, tasks: Sequence[Task]) -> None:
        """R[t, i ≤ t] of the present state, and R[t − 1, t] of the state at the end of the task before."""
        now, k = len(tasks) - 1, self.config.k
        before = self.config.start - 1 + (now - 1) * self.config.task_days
        earlier = self.journal.state(before) if now > 1 and self.strategy.learns else self._bootstrap()
        entries = [(now, task, self.state) for task in range(now + 1)]
        if earlier is not None:
            entries.append((now - 1, now, earlier))
            if now == 1:
                entries.append((0, 0, earlier))
        kept = []
        for after, task, state in entries:
            of = tasks[task]
            recalls = of.recalls(state, k)
            self.journal.add_accuracy(after, task, mean_of(recalls), of.rows.num_rows, of.untrained(k))
            if task < now == after:
                kept.append(old_tasks.table(task, of.users, recalls))
        self.journal.keep_old_task(pa.concat_tables(kept))


def _trained(report: dict[str, float]) -> float:
    """Rows times the epochs over them, of all attempts."""
    return report.get("rows_trained", 0.0)
