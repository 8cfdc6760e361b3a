"""The days of a log, one after another: rows to learn, rows that are asked about, data states.

Nothing here depends on a model, so all lines share one walk. What lies before the window is kept in
`<out>/prepared`, and read from there when the backtest goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.backtest.asked import Asked
from components.backtest.config import BacktestConfig
from components.features import rows as layout
from components.features.advance import advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.history import positives
from components.features.stretch import read_split, write_splits
from schemas.rows import HELD_OUT, LEARN
from schemas.spans import date_of

DONE = "done"

Weights = dict[str, float]
TAKES = pa.schema(
    [("user_id", pa.string()), ("item_id", pa.string()), ("span", pa.int64()), ("weight", pa.float64())]
)
"""One row a (user, item, day) with the weightiest behaviour: what peers learn from."""


@dataclass(frozen=True)
class Source:
    """A log: its events by span (`schemas.events.EVENTS`, empty where a day has none) and its tables."""

    events: Callable[[int], pa.Table]
    items: pa.Table | None
    users: pa.Table | None
    features: FeaturesConfig
    weights: Weights
    fingerprint: Callable[[int, int], str] = lambda first, last: ""
    """A digest of the tables and of the events from one span to another: what was walked already is known
    by it."""


@dataclass(frozen=True)
class Day:
    """One day of the window."""

    span: int
    before: DataState
    """As of the end of the day before."""
    asked: Asked
    """Every user-day of users seen before, held out or not: it is asked about before it is learned."""
    learn: pa.Table
    held_out: pa.Table
    after: DataState
    takes: pa.Table


@dataclass(frozen=True)
class Prepared:
    """All that lies before the window."""

    learn: pa.Table
    held_out: pa.Table
    data: DataState
    takes: pa.Table
    tuning: dict[int, Asked]
    """User-days of the days on which peers are tuned, by span."""


def takes_of(events: pa.Table, span: int, weights: Weights) -> pa.Table:
    """`TAKES` of one day's events."""
    taken = positives(events, weights)
    weight = pa.array([weights[name] for name in taken.column("behavior").to_pylist()], pa.float64())
    pairs = taken.select(["user_id", "item_id"]).append_column("weight", weight)
    found = pairs.group_by(["user_id", "item_id"]).aggregate([("weight", "max")])
    columns = [found["user_id"], found["item_id"], pa.array([span] * found.num_rows, pa.int64())]
    return pa.Table.from_arrays([*columns, found["weight_max"]], schema=TAKES)


def ask(source: Source, before: DataState, events: pa.Table, span: int) -> Asked:
    """Every user-day of the span, as of the data state before it."""
    # The contract bounds the share that is put aside; here all user-days are wanted as evaluation rows.
    everyone = FeaturesConfig.model_construct(**{**source.features.model_dump(), "holdout_share": 1.0})
    user_days = advance(before, events, span, source.items, source.users, everyone, source.weights)[1]
    return Asked.of(user_days, before)


def prepare(
    source: Source, config: BacktestConfig, folder: Path, on_day: Callable[[int], None] = lambda span: None
) -> Prepared:
    """Walks the days before the window, or reads what an earlier call left in `folder`."""
    if not (folder / DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _walk_bootstrap(source, config, folder, on_day)
        (folder / DONE).touch()
    return Prepared(
        learn=read_split(folder, LEARN),
        held_out=read_split(folder, HELD_OUT),
        data=DataState.load(folder / "data"),
        takes=pq.read_table(folder / "takes.parquet"),
        tuning={int(one.name): Asked.load(one) for one in sorted((folder / "tuning").iterdir())},
    )


def _walk_bootstrap(
    source: Source, config: BacktestConfig, folder: Path, on_day: Callable[[int], None]
) -> None:
    learn, held, takes = [], [], []
    data: DataState | None = None
    (folder / "tuning").mkdir(parents=True)
    tune_days = _tune_days(source, config)
    for span in range(config.first, config.start):
        events = source.events(span)
        if data and config.start - span in tune_days:
            ask(source, data, events, span).save(folder / "tuning" / str(span))
        day_learn, day_held, data = advance(
            data, events, span, source.items, source.users, source.features, source.weights
        )
        learn.append(day_learn)
        held.append(day_held)
        takes.append(takes_of(events, span, source.weights))
        on_day(span)
    assert data is not None
    if not data.history.num_rows:
        raise ValueError(
            f"nothing happened in the {config.bootstrap_days} days before {date_of(config.start)}:"
            " choose a later start or more bootstrap days"
        )
    write_splits(folder, layout.concat(learn), layout.concat(held))
    data.save(folder / "data")
    pq.write_table(pa.concat_tables(takes), folder / "takes.parquet")


def _tune_days(source: Source, config: BacktestConfig) -> set[int]:
    """`config.tune_days`, and further days before them as long as all have fewer than `tune_rows` users."""
    chosen: set[int] = set()
    rows = 0
    further = (day for day in range(1, config.bootstrap_days) if day not in config.tune_days)
    for day in (*config.tune_days, *further) if config.tune_days else ():
        if day not in config.tune_days and rows >= config.tune_rows:
            break
        chosen.add(day)
        rows += len(source.events(config.start - day).column("user_id").unique())
    return chosen


def walk(source: Source, config: BacktestConfig, prepared: Prepared) -> Iterator[Day]:
    """The days of the window."""
    data = prepared.data
    for span in range(config.start, config.end):
        events = source.events(span)
        learn, held, after = advance(
            data, events, span, source.items, source.users, source.features, source.weights
        )
        asked = ask(source, data, events, span)
        yield Day(span, data, asked, learn, held, after, takes_of(events, span, source.weights))
        data = after
