"""What needs no model: popularity, and what this user takes often. Ranks over the whole catalogue."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features.data_state import DataState

POPULARITY_DAYS = 7


def popularity_ranks(data: DataState, rows: pa.Table) -> np.ndarray:
    """int64 [relevant items of all rows]: 1-based rank by events of the last 7 days."""
    position = _popularity(data)
    return np.array(
        [_at(position, item) for items in rows["item_id"].to_pylist() for item in items], np.int64
    )


def habit_ranks(data: DataState, rows: pa.Table) -> np.ndarray:
    """int64 [relevant items of all rows]: the user's own items, most often and then latest taken first,
    before all others by popularity.
    """
    position = _popularity(data)
    own = _own_items(data, rows["user_id"])
    ranks = []
    for (user,), items in zip(rows["user_id"].to_pylist(), rows["item_id"].to_pylist(), strict=True):
        mine = {item: place for place, item in enumerate(own[user], start=1)}
        mine_by_popularity = np.sort([_at(position, item) for item in mine])
        for item in items:
            overall = _at(position, item)
            ahead = int(np.searchsorted(mine_by_popularity, overall))
            ranks.append(mine.get(item, len(mine) + overall - ahead))
    return np.array(ranks, np.int64)


def _popularity(data: DataState) -> dict[str, int]:
    items = data.catalogue["item_id"].to_pylist()
    recent = data.item_days.filter(pc.greater(data.item_days["span"], data.span - POPULARITY_DAYS))
    events: dict[str, int] = defaultdict(int)
    for item, count in zip(recent["item_id"].to_pylist(), recent["events"].to_pylist(), strict=True):
        events[item] += count
    return {item: rank for rank, item in enumerate(sorted(items, key=lambda item: -events[item]), start=1)}


def _at(position: dict[str, int], item: str) -> int:
    """An item that is not in the catalogue yet stands behind all that are."""
    return position.get(item, len(position) + 1)


def _own_items(data: DataState, users: pa.ChunkedArray) -> dict[str, list[str]]:
    wanted = pc.unique(pc.list_flatten(users))
    mine = data.history.filter(pc.is_in(data.history["user_id"], value_set=wanted))
    mine = mine.sort_by([("times", "descending"), ("last_timestamp", "descending"), ("item_id", "ascending")])
    own: dict[str, list[str]] = defaultdict(list)
    for user, item in zip(mine["user_id"].to_pylist(), mine["item_id"].to_pylist(), strict=True):
        own[user].append(item)
    return own
