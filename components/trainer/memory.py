"""Held-out rows: never learned, and kept in the model state for judging."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.features.rows import concat, scalar
from components.replay.identity import canonical, priorities
from components.replay.reservoir import evenly
from components.trainer.config import LearnConfig
from schemas.spans import date_of, held_out


def check_not_held_out(rows: pa.Table, share: float) -> None:
    """ValueError if a row is of a user-day that was put aside for ever."""
    spans = np.asarray(scalar(rows, "span"))
    users: pa.Array = scalar(rows, "user_id")
    for span in np.unique(spans):
        of_span = users.filter(pa.array(spans == span)).to_pylist()
        aside = held_out(of_span, int(span), share)
        if aside.any():
            user = of_span[int(np.argmax(aside))]
            raise ValueError(
                f"the rows to learn hold user {user!r} on span {span} ({date_of(int(span))}), which is held "
                "out: take the rows of split `learn`, made with the same holdout_share"
            )


def keep_held_out(before: pa.Table | None, new: pa.Table, last_span: int, config: LearnConfig) -> pa.Table:
    """Held-out rows after `last_span` was learned: the last `recent_spans` spans whole, a sample of others.

    The sample holds at most `old_task_rows`, as evenly over spans as there are rows; within a span the rows
    of lowest fixed priority stay, so that a row once dropped never comes back.
    """
    pool = canonical(new if before is None else concat([before, new]))
    spans = scalar(pool, "span")
    old = np.flatnonzero(spans <= last_span - config.recent_spans)
    first = evenly(spans[old], priorities(pool, config.seed)[old], config.old_task_rows)
    kept = np.concatenate([old[first], np.flatnonzero(spans > last_span - config.recent_spans)])
    return pool.take(pa.array(np.sort(kept))).combine_chunks()
