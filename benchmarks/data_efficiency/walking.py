"""The window walked once more, with the model of every day at hand: what the backtest's tables leave out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from components.backtest.config import BacktestConfig
from components.backtest.walk import Day, Prepared, Source, prepare, walk
from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import TrainingRows, learn
from components.trainer.react import react
from components.trainer.state import ModelState


class Step(NamedTuple):
    """A day, the model that was learned up to the evening before, and the first model of all."""

    day: Day
    state: ModelState
    stale: ModelState


def first_model(prepared: Prepared, config: BacktestConfig, learn_config: LearnConfig) -> ModelState:
    """What was learned from all that lies before the window."""
    nothing, spans = prepared.learn.slice(0, 0), tuple(range(config.first, config.start))
    rows = TrainingRows(prepared.learn, nothing, prepared.held_out, prepared.data, spans)
    return learn(None, rows, learn_config).state


def taught(state: ModelState, new: pa.Table, day: Day, config: LearnConfig) -> ModelState:
    """The model after it learned `new` rows of the day, with its share of replay."""
    old = draw(state.buffer, new, config.replay, seed=config.seed, span=day.span)
    return react(state, TrainingRows(new, old, day.held_out, day.after, (day.span,)), config).state


def steps(source: Source, config: BacktestConfig, learn_config: LearnConfig, work: Path) -> Iterator[Step]:
    """Day by day; a day is learned after it was yielded."""
    prepared = prepare(source, config, work / "prepared")
    state = stale = first_model(prepared, config, learn_config)
    for day in walk(source, config, prepared):
        yield Step(day, state, stale)
        state = taught(state, day.learn, day, learn_config)


def still(source: Source, config: BacktestConfig, learn_config: LearnConfig, work: Path) -> Iterator[Step]:
    """The same days without learning any of them."""
    prepared = prepare(source, config, work / "prepared")
    stale = first_model(prepared, config, learn_config)
    for day in walk(source, config, prepared):
        yield Step(day, stale, stale)
