"""Held-out rows that the state keeps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import concat, scalar
from components.trainer.config import LearnConfig
from components.trainer.memory import keep_held_out


def rows(spans: dict[int, int]) -> pa.Table:
    """Rows by span: that many users each."""
    pairs = [(f"u{n}", span) for span, count in spans.items() for n in range(count)]
    return pa.table(
        {
            "user_id": pa.array([[user] for user, _ in pairs], pa.list_(pa.string())),
            "span": pa.array([[span] for _, span in pairs], pa.list_(pa.int64())),
            "timestamp": pa.array([[span * 10] for _, span in pairs], pa.list_(pa.int64())),
            "item_id": pa.array([["i"] for _ in pairs], pa.list_(pa.string())),
        }
    )


def counts(table: pa.Table) -> dict[int, int]:
    spans, found = np.unique(scalar(table, "span"), return_counts=True)
    return dict(zip(spans.tolist(), found.tolist(), strict=True))


CONFIG = LearnConfig(recent_spans=2, old_task_rows=30)


def test_recent_spans_stay_whole_and_older_ones_share_the_rest_evenly() -> None:
    kept = keep_held_out(None, rows({1: 50, 2: 4, 3: 50, 9: 60, 10: 70}), 10, CONFIG)
    assert counts(kept) == {1: 13, 2: 4, 3: 13, 9: 60, 10: 70}


def test_day_by_day_ends_as_all_at_once() -> None:
    days = {span: rows({span: 12 + span}) for span in range(1, 9)}
    once = keep_held_out(None, concat(days.values()), 8, CONFIG)
    state = None
    for span, day in days.items():
        state = keep_held_out(state, day, span, CONFIG)
    assert state.equals(once)


def test_the_same_rows_twice_change_nothing() -> None:
    kept = keep_held_out(None, rows({1: 50, 10: 5}), 10, CONFIG)
    assert keep_held_out(kept, rows({10: 5}), 10, CONFIG).equals(kept)
