"""Personal frequency blended with popularity: own decayed count + share · popularity."""

from __future__ import annotations

import numpy as np

from components.backtest.peers import frequency
from components.backtest.peers.past import Past, Scores

GRID = tuple(
    {"half_life": half_life, "share": share, "days": days}
    for half_life in (60.0, 7.0, 20.0, 120.0, 240.0)
    for share in (0.1, 0.5, 2.0)
    for days in (7, 1, 28)
)


def fit(past: Past, half_life: float, share: float, days: int) -> Scores:
    own, popularity = frequency.fit(past, half_life), share * past.popularity(days)

    def scores(users: np.ndarray) -> np.ndarray:
        blended = own(users)
        blended += popularity
        return blended

    return scores
