"""Personal frequency: what the user takes often, older takes counting less."""

from __future__ import annotations

import numpy as np

from components.backtest.peers.past import Past, Scores

GRID = tuple({"half_life": half_life} for half_life in (14.0, 30.0, 60.0, 120.0, 240.0, 1e6))


def fit(past: Past, half_life: float) -> Scores:
    counts = past.counts(half_life)

    def scores(users: np.ndarray) -> np.ndarray:
        own = counts[np.maximum(users, 0)].toarray()
        own[users < 0] = 0.0
        return own

    return scores
