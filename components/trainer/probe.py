"""The probe half: held-out rows of earlier days on which a day's learning is tried before it is judged.

Users are parted in two halves by a seeded hash. Old rows of the one half are the probe: they decide whether
a day is learned again and which attempt is taken. The gate never sees them: old rows of the other half are
its own, so that it decides on rows by which nothing was chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa

from components.features.data_state import DataState
from components.features.rows import scalar
from components.metrics import owners, recall_at
from components.trainer.config import LearnConfig
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState

K, WEEK = 20, 7

Weeks = dict[str, tuple[float, int]]
"""Mean recall@20 and rows of each week, by its number since the epoch."""


def on_probe(rows: pa.Table, config: LearnConfig) -> np.ndarray:
    """bool [rows]: whose users are of the probe half; nobody is where no reaction is configured."""
    if not config.reaction.attempts:
        return np.zeros(rows.num_rows, bool)

    def drawn(user: str) -> bool:
        return bool(hashlib.blake2b(f"probe\0{config.seed}\0{user}".encode(), digest_size=1).digest()[0] & 1)

    return np.fromiter(map(drawn, scalar(rows, "user_id").tolist()), bool, rows.num_rows)


def probe_rows(state: ModelState, learned_now: Collection[int], config: LearnConfig) -> pa.Table:
    """The probe half of the held-out rows of weeks that are older than `recent_spans` and not of this learn.

    Whole weeks: the best value of one that is not over would be that of its luckiest days.
    """
    rows = state.held_out
    spans = np.asarray(scalar(rows, "span"))
    last = max(state.spans_learned, default=0)
    over = (weeks_of(rows) + 1) * WEEK <= last + 1 - config.recent_spans
    old = over & ~np.isin(spans, list(learned_now))
    return rows.filter(pa.array(old & on_probe(rows, config)))


def measure(state: ModelState, rows: pa.Table, data: DataState) -> Weeks:
    """How well a model does on rows, a week at a time, each row over the catalogue of its own day."""
    if not rows.num_rows:
        return {}
    values = recall_at(K, Scorer(state, data).ranks(rows), owners(rows), rows.num_rows)
    weeks, which, counts = np.unique(weeks_of(rows), return_inverse=True, return_counts=True)
    means = np.bincount(which, values) / counts
    return {str(week): (float(mean), int(n)) for week, mean, n in zip(weeks, means, counts, strict=True)}


def weeks_of(rows: pa.Table) -> np.ndarray:
    """int64 [rows]."""
    return np.asarray(scalar(rows, "span")) // WEEK


def raised(best: Mapping[str, float], now: Weeks) -> dict[str, float]:
    """The best values once these have been measured; of weeks that are no longer there, none."""
    return {week: max(value, best.get(week, 0.0)) for week, (value, _) in now.items()}


def loss(best: Mapping[str, float], now: Weeks) -> float:
    """Relative loss against the best ever over the weeks that have one, by their rows; 0 where none has."""
    shared = [(best[week], value, rows) for week, (value, rows) in now.items() if week in best]
    reached = sum(rows * value for value, _, rows in shared)
    return 1.0 - sum(rows * value for _, value, rows in shared) / reached if reached > 0 else 0.0
