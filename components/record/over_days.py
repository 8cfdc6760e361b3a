"""What continual learning is judged by, from the runs of all days so far.

R is float [days, weeks]: R[t, i] = the headline of day t's candidate on the old-task rows of week i, NaN
where not measured (a week is a task once it is old). Each row is ranked over the catalogue of its own day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_WEEK = re.compile(r"week/([^/]+)/")


@dataclass(frozen=True)
class Past:
    """One day's candidate: its date, whether it was blessed, and what was logged of it."""

    date: str
    blessed: bool
    metrics: Mapping[str, float]


def accuracy(days: Sequence[Past]) -> tuple[np.ndarray, list[str]]:
    """R of the days, oldest first, and the weeks' names in their order."""
    told = [
        {found[1]: value for name, value in day.metrics.items() if (found := _WEEK.match(name))}
        for day in days
    ]
    weeks = sorted({week for of_day in told for week in of_day})
    matrix = np.full((len(days), len(weeks)), np.nan)
    for row, one in zip(matrix, told, strict=True):
        row[:] = [one.get(week, np.nan) for week in weeks]
    return matrix, weeks


def transfer(accuracy: np.ndarray) -> dict[str, float]:
    """average_accuracy = mean of the last row, over weeks; backward_transfer = mean of the last row less the
    value when the week was first measured, over weeks measured before (Lopez-Paz & Ranzato, NeurIPS 2017).

    Without a week there is nothing; without an earlier day there is no backward transfer.
    """
    if not accuracy.size or np.isnan(accuracy[-1]).all():
        return {}
    last = accuracy[-1]
    found = {"average_accuracy": float(np.nanmean(last))}
    measured = ~np.isnan(accuracy)
    first = accuracy[measured.argmax(axis=0), np.arange(accuracy.shape[1])]
    earlier = measured[:-1].any(axis=0) & measured[-1]
    if earlier.any():
        found["backward_transfer"] = float((last - first)[earlier].mean())
    return found
