"""Forgetting: how far a model is below the best that any served model reached on each week's task.

After Chaudhry et al., "Riemannian Walk for Incremental Learning" (ECCV 2018): f_j = max_l a[l, j] - a[k, j],
averaged over tasks j, the maximum over the models before k; below zero where the model is better than ever.
Tasks are ISO weeks of the old task; they are weighted by their rows, since a bounded sample thins old weeks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def by_week(weeks: np.ndarray, values: np.ndarray) -> dict[str, tuple[float, int]]:
    """Mean and number of the values (float [rows], NaN left out) a week."""
    told = ~np.isnan(values)
    names, which = np.unique(weeks[told].astype(str), return_inverse=True)
    rows = np.bincount(which, minlength=len(names))
    sums = np.bincount(which, weights=values[told], minlength=len(names))
    return {str(name): (float(total / n), int(n)) for name, total, n in zip(names, sums, rows, strict=True)}


def raise_best(best_ever: Mapping[str, float], served_now: Mapping[str, float]) -> dict[str, float]:
    """Best value of each week's task so far, once what is served now has been measured too."""
    weeks = sorted({*best_ever, *served_now})
    return {week: max(best_ever.get(week, 0.0), served_now.get(week, 0.0)) for week in weeks}


def forgetting(now: Mapping[str, tuple[float, int]], best_ever: Mapping[str, float]) -> float | None:
    """Row-weighted mean of best-ever minus now over the weeks that have both; None if none has."""
    shared = [(best_ever[week] - value, rows) for week, (value, rows) in now.items() if week in best_ever]
    if not shared:
        return None
    losses, rows = np.array(shared).T
    return float(np.average(losses, weights=rows))


def performance(old: float | None, new: float | None) -> float | None:
    """What continual learning is to raise: ability on the old task plus ability on the new one."""
    return None if old is None or new is None else old + new
