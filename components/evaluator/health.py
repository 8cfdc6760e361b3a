"""Is the candidate a working model at all? What training reported, and whether its lists are lists."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ASKED = 200
LENGTH = 10


class Recommender(Protocol):
    """Anything that recommends for rows."""

    def top_k(self, rows: pa.Table, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(item ids object [rows, k], scores float32 [rows, k]), best first."""


def known_users(rows: pa.Table) -> pa.Table:
    """A row a user with a history, of at most `ASKED`: those of whom something is known."""
    known = rows.filter(pc.greater(pc.list_value_length(rows["history_item"]), 0))
    _, first = np.unique(np.array(pc.list_flatten(known["user_id"]).to_pylist(), object), return_index=True)
    return known.take(pa.array(np.sort(first)[:ASKED], pa.int64()))


def health(report: Mapping[str, object], candidate: Recommender, rows: pa.Table) -> dict:
    """Findings about the candidate, JSON-ready.

    report: what training wrote (`diverged` and numbers); rows: held-out rows, of which the users with a
    history are asked for lists, since users of whom nothing is known rightly get one list. `users_asked`
    counts users and `distinct_lists` their different lists; `lists_hold_all`: the catalogue is no longer than
    a list; `finite_scores` is false if one is NaN or inf.
    """
    numbers = [value for value in report.values() if isinstance(value, float)]
    asked = known_users(rows)
    items, scores = candidate.top_k(asked, LENGTH) if asked.num_rows else (np.zeros((0, 0)), np.zeros((0, 0)))
    return {
        "diverged": bool(report.get("diverged", False)),
        "finite_report": all(math.isfinite(value) for value in numbers),
        "finite_scores": bool(np.isfinite(scores).all()),
        "users_asked": len(items),
        "distinct_lists": len({tuple(one) for one in items}),
        "lists_hold_all": items.shape[1] < LENGTH,
    }
