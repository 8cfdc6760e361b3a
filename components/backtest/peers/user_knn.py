"""User-kNN on decayed counts: own counts blended with those of the nearest users.

After TIFU-kNN (Hu et al., SIGIR 2020): score = α · own + (1 − α) · mean of the neighbours, with one decay
in place of its two, cosine similarity, and neighbours weighted by it.
"""

from __future__ import annotations

import numpy as np

from components.backtest.peers.past import Past, Scores, strongest, unit_rows

GRID = tuple(
    {"half_life": half_life, "neighbours": neighbours, "own": own}
    for half_life in (30.0, 10.0, 90.0)
    for neighbours in (50, 100, 300, 1000)
    for own in (0.1, 0.4, 0.7)
)


def fit(past: Past, half_life: float, neighbours: int, own: float) -> Scores:
    unit = unit_rows(past.counts(half_life))
    popularity = 1e-4 * past.popularity(7)

    def scores(users: np.ndarray) -> np.ndarray:
        mine = unit[np.maximum(users, 0)]
        similarity = (mine @ unit.T).toarray()
        similarity[np.arange(len(users)), np.maximum(users, 0)] = 0.0
        nearest = strongest(similarity, neighbours)
        total = np.asarray(nearest.sum(axis=1)).ravel()
        mean = (nearest @ unit).toarray() / np.maximum(total, 1e-12)[:, None]
        blended = own * mine.toarray() + (1.0 - own) * mean
        blended[users < 0] = 0.0
        return (blended + popularity).astype(np.float32)

    return scores
