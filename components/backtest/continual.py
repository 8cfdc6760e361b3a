"""What continual learning is judged by, as functions of the accuracy matrix.

R is float [T + 1, T + 1]: R[t, i] = accuracy on task i after task t was learned, NaN where not measured;
rows and columns count from the first task, 0.
"""

from __future__ import annotations

import numpy as np


def average_accuracy(accuracy: np.ndarray) -> float:
    """ACC = mean over i of R[T, i] (Lopez-Paz & Ranzato, NeurIPS 2017)."""
    return _mean(accuracy[-1])


def backward_transfer(accuracy: np.ndarray) -> float:
    """BWT = mean over i < T of R[T, i] − R[i, i] (Lopez-Paz & Ranzato 2017); below zero: forgotten."""
    return _mean((accuracy[-1] - np.diagonal(accuracy))[:-1])


def forward_transfer(accuracy: np.ndarray, untrained: np.ndarray) -> float:
    """FWT = mean over i > 0 of R[i − 1, i] − b[i] (Lopez-Paz & Ranzato 2017).

    untrained: float [T + 1], b[i] = what a model that learned nothing reaches on task i.
    """
    return _mean(np.diagonal(accuracy, offset=1) - untrained[1:])


def forgetting(accuracy: np.ndarray) -> float:
    """F = mean over i < T of max over t < T of R[t, i], less R[T, i] (Chaudhry et al., ECCV 2018).

    The best-ever value is sought from the task's own turn on.
    """
    return _mean((best_ever(accuracy) - accuracy[-1])[:-1])


def best_ever(accuracy: np.ndarray) -> np.ndarray:
    """float [T + 1]: max over i ≤ t < T of R[t, i]; of the last task R[T, T]."""
    tasks = len(accuracy)
    best = np.full(tasks, np.nan)
    for task in range(tasks):
        values = accuracy[task : max(tasks - 1, task + 1), task]
        if not np.isnan(values).all():
            best[task] = np.nanmax(values)
    return best


def old_task(accuracy: np.ndarray, rows: np.ndarray) -> float:
    """Mean of R[T, i] over i < T, weighted by the tasks' rows (int [T + 1])."""
    last, weight = accuracy[-1][:-1], rows[:-1].astype(np.float64)
    told = ~np.isnan(last) & (weight > 0)
    return float(np.average(last[told], weights=weight[told])) if told.any() else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if len(values) and not np.isnan(values).all() else float("nan")
