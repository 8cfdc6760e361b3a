"""Paired bootstrap over users: how sure is a relative difference between two models?

Rows of one user are alike, so users are drawn, not rows (the cluster bootstrap; Davison & Hinkley 1997,
section 3.8). Both models keep the same draw, so what they share cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_CELLS = 4_000_000
"""Draws held in memory at once (16 MB)."""


@dataclass(frozen=True)
class Interval:
    """Relative difference (candidate - reference) / reference with its percentile interval."""

    estimate: float
    low: float
    high: float
    users: int
    rows: int


@lru_cache(maxsize=4)
def _draws(users: int, resamples: int, seed: int, block: int) -> np.ndarray:
    """How often each user is drawn: float32 [resamples, users]."""
    drawn = np.random.default_rng((seed, block)).integers(users, size=(resamples, users))
    flat = (drawn + users * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=resamples * users).reshape(resamples, users).astype(np.float32)


def _blocks(users: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    size = max(1, min(resamples, _CELLS // users))
    for block, start in enumerate(range(0, resamples, size)):
        yield _draws(users, min(size, resamples - start), seed, block)


def relative_difference(
    users: np.ndarray,
    candidate: np.ndarray,
    reference: np.ndarray,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Interval of mean(candidate) / mean(reference) - 1 over rows.

    users: any [rows], whose row it is; candidate, reference: float [rows]. Rows where either is NaN are
    left out. None where nothing can be said: no rows left, or a reference that is zero everywhere.
    """
    told = ~(np.isnan(candidate) | np.isnan(reference))
    if not told.any() or not reference[told].sum() > 0:
        return None
    _, who = np.unique(users[told], return_inverse=True)
    ours = np.bincount(who, weights=candidate[told])
    theirs = np.bincount(who, weights=reference[told])
    sums = np.stack([ours, theirs], axis=1).astype(np.float32)
    totals = np.concatenate([draws @ sums for draws in _blocks(len(ours), resamples, seed)])
    totals = totals[totals[:, 1] > 0]  # a draw of users whom the reference never served says nothing
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(totals[:, 0] / totals[:, 1] - 1.0, [tail, 100.0 - tail])
    return Interval(
        float(ours.sum() / theirs.sum() - 1.0), float(low), float(high), len(ours), int(told.sum())
    )
