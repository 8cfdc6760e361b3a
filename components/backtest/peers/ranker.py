"""Any peer as a ranker of the whole catalogue, by the rules of the model's own ranks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.backtest.peers.past import Past, Scores
from components.features import rows as layout

CHUNK_SCORES = 2**24
"""Scores, or likenesses to users, that are held at a time."""


class PeerRanker:
    """Of equal scores the worse rank counts; an item that is no candidate stands behind all."""

    def __init__(self, past: Past, scores: Scores) -> None:
        self.past, self.scores = past, scores

    def ranks(self, rows: pa.Table) -> np.ndarray:
        """int64 [items of all rows]: 1-based ranks, in the order of the rows' `item_id` lists."""
        items = len(self.past.catalogue)
        users = pc.index_in(layout.scalar(rows, "user_id"), self.past.users).fill_null(-1).to_numpy()
        place = pc.index_in(layout.flat(rows, "item_id"), self.past.catalogue).fill_null(-1).to_numpy()
        place = np.where(self.past.gone[place], -1, place)
        bounds = layout.offsets(rows, "item_id")
        ranks = np.full(len(place), items + 1, np.int64)
        size = max(1, CHUNK_SCORES // max(items, len(self.past.users), 1))
        for start in range(0, len(users), size):
            asked = users[start : start + size].astype(np.int64)
            scores = np.where(self.past.gone, -np.inf, self.scores(asked))
            ordered = np.sort(scores, axis=1)
            for row in range(start, start + len(scores)):
                wanted = slice(bounds[row], bounds[row + 1])
                own = scores[row - start][np.maximum(place[wanted], 0)]
                worse = items - np.searchsorted(ordered[row - start], own)
                ranks[wanted] = np.where(place[wanted] >= 0, worse, items + 1)
        return ranks
