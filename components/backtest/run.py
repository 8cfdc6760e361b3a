"""The backtest: all lines over all days, and the files that come of it."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.backtest import report
from components.backtest.config import BacktestConfig
from components.backtest.journal import Journal
from components.backtest.model_line import ModelLine, Rows
from components.backtest.peer_line import PeerLine, past_before
from components.backtest.peers.registry import PEERS, peer
from components.backtest.strategies import Strategy
from components.backtest.tasks import Task, last_days
from components.backtest.walk import Day, Prepared, Source, prepare, walk
from components.features import rows as layout
from components.trainer.config import LearnConfig
from schemas.spans import date_of

MANIFEST = "backtest.json"
LIBRARIES = ("tensorflow", "numpy", "scipy", "pyarrow", "implicit")

PACE_DAYS = 50

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is compared."""

    config: BacktestConfig
    learn: LearnConfig
    strategies: Sequence[Strategy]
    peers: Sequence[str]


def backtest(source: Source, plan: Plan, out: Path, tell: Tell = lambda text: None) -> None:
    """Walks the window once for all lines; days that a line did in an earlier call are not done again.

    Writes summary.csv, daily.csv, matrix.csv, plots and report.md into `out`. ValueError if `out` holds a
    backtest with other settings, of another log, or another line of one of the names.
    """
    config = plan.config
    check(plan)
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, source, plan)
    tell(f"walking the {config.bootstrap_days} days before {date_of(config.start)}")
    prepared = prepare(source, config, out / "prepared", lambda span: _pace(tell, config, span))
    models = [
        ModelLine(one, plan.learn, config, Journal(out / "lines" / one.name), prepared, out / "bootstrap")
        for one in plan.strategies
    ]
    peers = [
        PeerLine(name, peer(name), config, Journal(out / "lines" / name), prepared) for name in plan.peers
    ]
    _walk(source, config, prepared, models, peers, tell)
    report.write(out, config, models, peers)


def check(plan: Plan) -> None:
    """ValueError where a name is no line's, or two lines'; pydantic's where a strategy's setting is none."""
    names = [one.name for one in plan.strategies] + list(plan.peers)
    if not names:
        raise ValueError("nothing is compared: name a strategy or a baseline")
    for one in plan.strategies:
        one.config(plan.learn)
        if one.name in PEERS:
            raise ValueError(f"{one.name} is a baseline's name: call the strategy something else")
    for name in plan.peers:
        peer(name)
    if again := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{again} is named twice: each line has one name")


def _pace(tell: Tell, config: BacktestConfig, span: int) -> None:
    walked = span + 1 - config.first
    if walked % PACE_DAYS == 0:
        tell(f"{date_of(span)} ({walked}/{config.bootstrap_days}) walked")


def _walk(
    source: Source,
    config: BacktestConfig,
    prepared: Prepared,
    models: Sequence[ModelLine],
    peers: Sequence[PeerLine],
    tell: Tell,
) -> None:
    tasks = [Task.of(last_days(prepared.held_out, config), prepared.data, config)]
    learn, held_out, takes = [prepared.learn], [prepared.held_out], [prepared.takes]
    task_held: list[pa.Table] = []
    lines: list[ModelLine | PeerLine] = [*models, *peers]
    if all(one.journal.has(config.end - 1) for one in lines):
        return
    for day in walk(source, config, prepared):
        learn.append(day.learn)
        held_out.append(day.held_out)
        task_held.append(day.held_out)
        if config.ends_task(day.span):
            tasks.append(_task(task_held, day, config))
            task_held = []
        so_far = Rows(learn, held_out, range(config.first, day.span + 1))
        for model in models:
            if not model.journal.has(day.span):
                _say(tell, config, model, model.day(day, so_far, tasks))
        waiting = [one for one in peers if not one.journal.has(day.span)]
        if waiting:
            past = past_before(pa.concat_tables(takes), day.before.catalogue, day.span, config.seed)
            for one in waiting:
                _say(tell, config, one, one.day(day, past))
        takes.append(day.takes)


def _task(held_out: Sequence[pa.Table], day: Day, config: BacktestConfig) -> Task:
    return Task.of(layout.concat(held_out), day.after, config)


def _say(tell: Tell, config: BacktestConfig, line: ModelLine | PeerLine, record: dict) -> None:
    k = config.k
    recall, of_new = record[f"recall_at_{k}_all"], record[f"recall_at_{k}_new"]
    tell(
        f"{date_of(record['span'])} ({record['span'] - config.start + 1}/{config.days}) {line.name:16}"
        f" recall@{k} {recall:.4f} all, {of_new:.4f} new; learned in {record['seconds_learning']:.1f} s"
    )


def _claim(out: Path, source: Source, plan: Plan) -> None:
    """The settings that all lines of `out` share; versions for the record."""
    settings = {
        "backtest": plan.config.model_dump(mode="json"),
        "learn": plan.learn.model_dump(mode="json"),
        "features": source.features.model_dump(mode="json"),
        "weights": source.weights,
        "log": source.fingerprint(plan.config.first, plan.config.end - 1),
    }
    path = out / MANIFEST
    if path.exists():
        there = json.loads(path.read_text())
        if others := sorted(_others(there, settings)):
            raise ValueError(
                f"{out} holds a backtest with other settings ({', '.join(others)}):"
                " choose another folder for --out"
            )
        return
    versions = {name: _version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    path.write_text(json.dumps({**settings, "versions": versions}, indent=1))


def _others(there: Mapping[str, Any], wanted: Mapping[str, Any], section: str = "") -> Iterator[str]:
    """Names of the settings that differ."""
    for name, value in wanted.items():
        place, before = f"{section}{name}", there.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from _others(before, value, f"{place}.")
        elif value != before:
            yield place


def _version(name: str) -> str | None:
    try:
        return version(name)
    except ModuleNotFoundError:
        return None
