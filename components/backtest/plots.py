"""The pictures of a backtest: the curve over days, quality against cost, the accuracy matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
from matplotlib.figure import Figure

SMOOTH_DAYS = 7
BESIDE = 1.07
"""How far right of its like a line of the same cost is drawn."""
COLUMNS = 5


def over_days(
    days: Mapping[str, Sequence[Mapping[str, Any]]], peers: Sequence[str], key: str, title: str
) -> Figure:
    """A curve a line, peers dashed: trailing mean of `key` over a week. days: records by line."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    colours = mpl.colormaps["tab20"](np.arange(len(days)) % 20)
    for (name, records), colour in zip(days.items(), colours, strict=True):
        values = np.array([record[key] for record in records], np.float64)
        smooth = [_mean(values[max(0, n + 1 - SMOOTH_DAYS) : n + 1]) for n in range(len(values))]
        style = "--" if name in peers else "-"
        axes.plot(range(1, len(smooth) + 1), smooth, style, label=name, color=colour, linewidth=1.5)
    axes.set_title(f"{title}, trailing mean of {SMOOTH_DAYS} days")
    axes.set_xlabel("day of the window")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


def _mean(values: np.ndarray) -> float:
    """Of those that are told; NaN where none is."""
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else float("nan")


def against_cost(rows: Sequence[Mapping[str, Any]], key: str, title: str) -> Figure:
    """Each strategy at the rows it trained a day and what it reached, with its interval.

    Costs are logarithmic, but for 0, which has its place too. Lines of one cost, or nearly, stand side by
    side, in the legend's order.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    colours = mpl.colormaps["tab20"](np.arange(len(rows)) % 20)
    costs = [row["rows_trained"] / max(row["days"], 1) for row in rows]
    beside = 0.0
    for n in sorted(range(len(rows)), key=costs.__getitem__):
        row, value = rows[n], rows[n][key]
        beside = max(costs[n], beside * BESIDE)
        spread = [[value - row[f"{key}_low"]], [row[f"{key}_high"] - value]]
        axes.errorbar(beside, value, yerr=spread, fmt="o", color=colours[n], capsize=3, label=row["line"])
    axes.set_xscale("symlog", linthresh=min((cost for cost in costs if cost > 0), default=1) / 3)
    axes.set_xlabel("rows trained a day in the window")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


def accuracy_matrices(matrices: Mapping[str, np.ndarray], k: int) -> Figure:
    """R[t, i] of each line, darker is better; read a column downwards to see a task being forgotten."""
    columns = min(len(matrices), COLUMNS)
    height = -(-len(matrices) // columns)
    figure = Figure(figsize=(4 * columns, 4.2 * height), layout="constrained")
    every = np.concatenate([one.ravel() for one in matrices.values()])
    low, high = np.nanmin(every), np.nanmax(every)
    places = figure.subplots(height, columns, squeeze=False).ravel()
    for left_over in places[len(matrices) :]:
        left_over.set_axis_off()
    for axes, (name, matrix) in zip(places, matrices.items(), strict=False):
        axes.imshow(matrix, cmap="Blues", vmin=low, vmax=high)
        for (after, task), value in np.ndenumerate(matrix):
            if len(matrix) <= 8 and not np.isnan(value):
                colour = "white" if value > (low + high) / 2 else "black"
                axes.text(task, after, f"{value:.3f}", ha="center", va="center", fontsize=7, color=colour)
        axes.set_title(f"{name}: recall@{k}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
        axes.set_xlabel("task i")
        axes.set_ylabel("after task t")
    return figure
