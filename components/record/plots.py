"""The two pictures of a day: quality over the days, and what each week's task has lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY, _RED = "#2563eb", "#ea580c", "#9ca3af", "#dc2626"


def quality_over_days(days: Sequence[Mapping[str, Any]], metric: str) -> Figure:
    """Old and new task of each day's candidate.

    days: {date: `YYYY-MM-DD`, old, new: float or None, blessed: bool}, oldest first.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    dates = [day["date"] for day in days]
    for task, colour in (("old", _BLUE), ("new", _ORANGE)):
        values = [float("nan") if day[task] is None else day[task] for day in days]
        axes.plot(dates, values, color=colour, marker="o", markersize=4, label=f"{task} task")
        refused = [place for place, day in enumerate(days) if not day["blessed"]]
        axes.plot([dates[i] for i in refused], [values[i] for i in refused], "x", color=_RED, markersize=9)
    axes.set_title(f"{metric} on held-out rows, a candidate a day (× = not blessed)")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(10, integer=True))
    axes.tick_params(axis="x", rotation=30)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def forgetting_by_week(weeks: Mapping[str, Mapping[str, Any]], metric: str) -> Figure:
    """Each old week's task: the candidate beside the best that any served model reached on it."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    names = sorted(weeks)
    best = [weeks[name]["best_ever"] for name in names]
    best = [float("nan") if value is None else value for value in best]
    axes.bar(names, best, color=_GREY, width=0.8, label="best ever served")
    axes.bar(names, [weeks[name]["candidate"] for name in names], color=_BLUE, width=0.5, label="candidate")
    axes.set_title(f"{metric} by week of the old task: grey above blue is forgotten")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(12, integer=True))
    axes.tick_params(axis="x", rotation=30)
    axes.grid(alpha=0.3, axis="y")
    axes.legend()
    return figure
