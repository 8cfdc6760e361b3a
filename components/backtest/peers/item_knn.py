"""Item-kNN: cosine similarity of items over users, each item with its nearest only (Sarwar et al., 2001)."""

from __future__ import annotations

import numpy as np

from components.backtest.peers.past import Past, Scores, strongest, unit_rows

ITEMS = 4000
"""Most popular items that are compared; the others follow by popularity."""

GRID = tuple(
    {"half_life": half_life, "neighbours": neighbours}
    for half_life in (60.0, 1e6)
    for neighbours in (50, 200)
)


def fit(past: Past, half_life: float, neighbours: int) -> Scores:
    top = past.top(ITEMS)
    counts = past.counts(half_life)[:, top]
    unit = unit_rows(counts.T.tocsr())
    similarity = (unit @ unit.T).toarray()
    nearest = strongest(similarity, neighbours).T.tocsr()  # [taken, scored]: an item sums over its nearest
    return lambda users: past.widened((counts[np.maximum(users, 0)] @ nearest).toarray(), top)
