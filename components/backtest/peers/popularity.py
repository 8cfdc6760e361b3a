"""The most taken items of the last days, the same for everybody."""

from __future__ import annotations

import numpy as np

from components.backtest.peers.past import Past, Scores

GRID = tuple({"days": days} for days in (7, 1, 3, 28))


def fit(past: Past, days: int) -> Scores:
    # Of equally popular items of the last days, the one that was popular for longer comes first.
    popularity = past.popularity(days) + 1e-4 * past.popularity(28)
    return lambda users: np.repeat(popularity[None], len(users), axis=0)
