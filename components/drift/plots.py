"""The pictures of drift: a day's distances beside their thresholds, the champion's next-day metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib.figure import Figure

from components.drift.measure import WEEKDAY, WINDOW

_BLUE, _ORANGE, _GREY, _RED = "#2563eb", "#ea580c", "#9ca3af", "#dc2626"
_FEATURES_SHOWN = 30


def distances(found: Sequence[Mapping[str, Any]], date: str) -> Figure:
    """Each feature's distances (`measure.measure`) as shares of their thresholds, the largest on top."""
    shares: dict[str, dict[str, float]] = {}
    for one in found:
        shares.setdefault(one["feature"], {})[one["kind"]] = one["value"] / one["threshold"]
    shown = sorted(shares, key=lambda name: max(shares[name].values()))[-_FEATURES_SHOWN:]
    figure = Figure(figsize=(9, 1.6 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for offset, kind, colour, label in (
        (0.2, WINDOW, _BLUE, "trailing window"),
        (-0.2, WEEKDAY, _ORANGE, "same weekday"),
    ):
        bars = [shares[name].get(kind, 0.0) for name in shown]
        axes.barh([place + offset for place in range(len(shown))], bars, 0.4, color=colour, label=label)
    axes.axvline(1.0, color=_RED, linewidth=1)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_title(f"{date}: distance from earlier days, as a share of the feature's threshold")
    axes.grid(alpha=0.3, axis="x")
    axes.legend(loc="lower right")
    return figure


def next_day_metric(days: Sequence[Mapping[str, Any]], metric: str, threshold: float) -> Figure:
    """Above the champion's metric on each day before it learned it, below Page-Hinkley's statistic.

    days: {date, value, statistic (None while what is usual is being learned), alarm}, oldest first.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    dates = [day["date"] for day in days]
    above.plot(dates, [day["value"] for day in days], color=_BLUE, marker="o", markersize=4)
    statistic = [float("nan") if day["statistic"] is None else day["statistic"] for day in days]
    below.plot(dates, statistic, color=_GREY, marker="o", markersize=3)
    below.axhline(threshold, color=_RED, linewidth=1)
    for day in days:
        if day["alarm"]:
            above.axvline(day["date"], color=_RED, linewidth=1)
    above.set_title(f"{metric} of the champion on the day that it had not learned yet (red: alarm)")
    above.set_ylim(bottom=0)
    below.set_ylim(bottom=0)
    below.set_ylabel("Page-Hinkley")
    below.xaxis.set_major_locator(mpl.ticker.MaxNLocator(10, integer=True))
    below.tick_params(axis="x", rotation=30)
    for axes in (above, below):
        axes.grid(alpha=0.3)
    return figure
