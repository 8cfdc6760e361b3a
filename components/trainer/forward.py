"""A stretch of days learned as they came: the oldest at once, each later one on top of the day before.

What a rebuild does, so that the new line went the way of the living one: the same `learn`, the same rates
and its own replay. It costs one epoch a day and row, and a start of the training step a day.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from components.replay.prepare import of_spans
from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import Candidate, TrainingRows
from components.trainer.react import react
from components.trainer.state import ModelState

SUMMED = ("rows_new", "rows_replay", "rows_held_out", "rows_trained", "epochs", "steps", "seconds_training")


def learn_forward(rows: TrainingRows, config: LearnConfig, days_at_once: int) -> Candidate:
    """`react` on the first `days_at_once` spans of `rows`, from nothing, then on each later span in order.

    Rows and catalogue of a step are as of its last span; a price is as of the stretch's end, as it is where
    all is learned at once. The report's counts and seconds are sums over the steps, `diverged` the largest;
    the rest is the last step's. ValueError if a step refuses its rows.
    """
    started = time.perf_counter()
    state: ModelState | None = None
    reports: list[dict[str, float]] = []
    attempts: tuple[dict[str, float], ...] = ()
    for step in _steps(rows, days_at_once):
        if state is not None:
            slice_ = draw(state.buffer, step.new, config.replay, seed=config.seed, span=step.data.span)
            step = replace(step, replay=slice_)
        candidate = react(state, step, config)
        state = candidate.state
        reports.append(candidate.report)
        attempts += candidate.attempts
    if state is None:
        raise ValueError("there is no span to learn: name one day at least")
    summed = {name: sum(one[name] for one in reports) for name in SUMMED}
    diverged = max(one["diverged"] for one in reports)
    seconds = time.perf_counter() - started
    return Candidate(state, reports[-1] | summed | {"diverged": diverged, "seconds": seconds}, attempts)


def _steps(rows: TrainingRows, days_at_once: int) -> Iterator[TrainingRows]:
    spans = rows.learned_spans()
    first = spans[:days_at_once]
    for of_step in filter(None, (first, *((span,) for span in spans[days_at_once:]))):
        new, held_out = (of_spans(table, of_step) for table in (rows.new, rows.held_out))
        yield TrainingRows(new, new.slice(0, 0), held_out, rows.data.as_of(of_step[-1]), of_step)
