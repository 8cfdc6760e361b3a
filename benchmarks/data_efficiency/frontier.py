"""Next-day and old-task recall against the share of a day's rows and the share of replayed rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib.figure import Figure

from components.backtest.config import BacktestConfig
from components.backtest.run import Plan, backtest
from components.backtest.strategies import Strategy, named
from components.backtest.walk import Source
from components.trainer.config import LearnConfig

DAY_SHARES, REPLAY_SHARES = (5, 10, 25, 50, 100), (0, 5, 10, 20, 50)
"""Percent: of a day's rows that are learned; of what is learned that is replayed."""
AXES = {"recall": "next-day recall@20, all", "new": "next-day recall@20, new", "old": "old-task recall@20"}
COLUMNS = {"recall": "recall_at_20_all", "new": "recall_at_20_new", "old": "old_task_recall"}

Point = dict[str, float]


def strategy(day: int, replay: int) -> Strategy:
    """The default's settings with these two."""
    return Strategy(
        f"rows-{day}-replay-{replay}",
        f"{day}% of a day's rows, and so much replay that it is {replay}% of what is learned",
        day_share=day / 100,
        overrides=named(f"replay-{replay}").overrides,
    )


def cells(whole: bool) -> list[tuple[int, int]]:
    """The whole grid, or its row of whole days and its column of 10% replay."""
    every = [(day, replay) for day in DAY_SHARES for replay in REPLAY_SHARES]
    return [one for one in every if whole or one[0] == 100 or one[1] == 10]


def measure(
    source: Source, config: BacktestConfig, learn: LearnConfig, grid: Sequence[tuple[int, int]], work: Path
) -> list[Point]:
    """A point a cell, and one of nothing learned; by `everlearn backtest`'s engine, resumable in `work`."""
    strategies = {strategy(*cell).name: cell for cell in grid}
    plan = Plan(config, learn, [named("stale"), *(strategy(*cell) for cell in grid)], ())
    backtest(source, plan, work, print)
    with (work / "summary.csv").open() as file:
        lines = {row["line"]: row for row in csv.DictReader(file)}
    return [
        _point(lines[name], *strategies.get(name, (0, 0))) for name in ("stale", *strategies) if name in lines
    ]


def _point(line: Mapping[str, str], day: int, replay: int) -> Point:
    point = {"day_share": float(day), "replay_share": float(replay)}
    for name, column in COLUMNS.items():
        bounds = {f"{name}{end}": line.get(f"{column}{end}", "") for end in ("", "_low", "_high")}
        point |= {key: float(value) for key, value in bounds.items() if value}
    rows = float(line["rows_trained"]) / float(line["days"])
    return point | {"rows_a_day": rows, "seconds_a_day": float(line["seconds"]) / float(line["days"])}


def picture(points: Sequence[Point], title: str) -> Figure:
    """Against rows learned a day: a curve a share of replay, its points the shares of the day."""
    figure = Figure(figsize=(14, 4.5), layout="constrained")
    panels = figure.subplots(1, len(AXES))
    for axes, (name, label) in zip(panels, AXES.items(), strict=True):
        stale = [point[name] for point in points if not point["day_share"] and name in point]
        for value in stale:
            axes.axhline(value, color="grey", linestyle="--", label="nothing learned")
        for place, replay in enumerate(REPLAY_SHARES):
            curve = [
                point
                for point in points
                if point["day_share"] and point["replay_share"] == replay and name in point
            ]
            curve.sort(key=lambda point: point["rows_a_day"])
            if curve:
                colour = mpl.colormaps["viridis"](place / len(REPLAY_SHARES))
                x, y = [point["rows_a_day"] for point in curve], [point[name] for point in curve]
                axes.plot(x, y, "o-", color=colour, label=f"{replay}% replay")
        axes.set_xscale("log")
        axes.set_xlabel("rows learned a day, replay included")
        axes.set_title(label)
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    figure.suptitle(title)
    return figure
