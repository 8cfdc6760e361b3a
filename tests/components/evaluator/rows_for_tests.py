"""Held-out rows and rankers small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

CATALOGUE = [f"i{number}" for number in range(100)]


def rows(
    *described: tuple[str, int, list[str]],
    known: bool = True,
    department: dict[str, str] | None = None,
) -> pa.Table:
    """Rows from (user, span, items); `department` is a text feature, `known` users have a history."""
    users, spans, items = [list(one) for one in zip(*described, strict=True)] if described else ([], [], [])
    strings, numbers = pa.list_(pa.string()), pa.list_(pa.int64())
    features = [[(department or {}).get(item, "") for item in one] for one in items]
    return pa.table(
        {
            "user_id": pa.array([[user] for user in users], strings),
            "span": pa.array([[span] for span in spans], numbers),
            "item_id": pa.array(items, strings),
            "times_before": pa.array([[0] * len(one) for one in items], numbers),
            "history_item": pa.array([["i0"] if known else [] for _ in users], strings),
            "item_department": pa.array(features, strings),
        }
    )


class FixedRanker:
    """Ranks the catalogue in one order for everybody, and counts how often it is asked."""

    def __init__(self, order: list[str]):
        self._rank = {item: place for place, item in enumerate(order, start=1)}
        self.asked = 0

    def ranks(self, table: pa.Table) -> np.ndarray:
        self.asked += 1
        flat = (item for items in table["item_id"].to_pylist() for item in items)
        return np.array([self._rank.get(item, len(self._rank) + 1) for item in flat], dtype=np.int64)
