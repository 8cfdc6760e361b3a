"""The pictures of a day: quality over days and against cost, what each week's task has lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
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


def forgetting_over_days(
    accuracy: np.ndarray, dates: Sequence[str], weeks: Sequence[str], metric: str
) -> Figure:
    """The accuracy matrix, a row a day: read a column downwards to see a week being forgotten.

    accuracy: float [days, weeks], NaN where not measured.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(accuracy, cmap="Blues", aspect="auto", interpolation="nearest")
    for axis, names in ((axes.xaxis, weeks), (axes.yaxis, dates)):
        places = np.unique(np.linspace(0, len(names) - 1, min(len(names), 10)).astype(int))
        axis.set_ticks(places, [names[place] for place in places])
    axes.tick_params(axis="x", rotation=30)
    axes.set_xlabel("week of the old task")
    axes.set_title(f"{metric} of each day's candidate")
    figure.colorbar(shown)
    return figure


def quality_against_cost(days: Sequence[Mapping[str, Any]], metric: str) -> Figure:
    """Each day's candidate at the rows that it cost and its value on both tasks; the newest day is ringed.

    days: {cost: rows × epochs or None, old, new: float or None}, oldest first; without a cost it is left out.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    told = [day for day in days if day["cost"]]
    for task, colour in (("old", _BLUE), ("new", _ORANGE)):
        values = [float("nan") if day[task] is None else day[task] for day in told]
        axes.plot([day["cost"] for day in told], values, "o", color=colour, alpha=0.6, label=f"{task} task")
        if told:
            axes.plot(told[-1]["cost"], values[-1], "o", markersize=13, fillstyle="none", color=colour)
    axes.set_xscale("log")
    axes.set_xlabel("rows trained × epochs")
    axes.set_title(f"{metric} against cost, a candidate a day")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
