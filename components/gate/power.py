"""What the gate can see: pairs of models with known differences, to measure the gate itself.

Pairs are simulated, or made from the per-row table of two real models by planting a loss into it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.gate.config import GateConfig
from components.gate.verdict import REJECTED, judge

K = 20
METRIC = "recall_at_20"
HEALTHY = {
    "diverged": False,
    "finite_report": True,
    "finite_scores": True,
    "users_asked": 200,
    "distinct_lists": 200,
}


def simulated_pair(seed: int, old_rows: int, new_rows: int, users: int, churn: float = 0.12) -> pa.Table:
    """A champion and the same model trained with another seed, over rows like Complete Journey's user-days.

    A row has a geometric number of relevant items (10 on average); a user's items are hit at a rate from
    Beta(1.4, 3.6), mean 0.28. Retraining loses the share `churn` of the hits, and as many of the misses
    become hits.
    """
    rng = np.random.default_rng(seed)
    rows = old_rows + new_rows
    user = rng.integers(users, size=rows)
    relevant = np.minimum(rng.geometric(1 / 10, size=rows), 100)
    rate = rng.beta(1.4, 3.6, size=users)[user]
    possible = np.minimum(K, relevant)
    champion = rng.binomial(possible, rate)
    gained = np.minimum(1.0, rate * churn / (1.0 - rate))
    candidate = rng.binomial(champion, 1 - churn) + rng.binomial(possible - champion, gained)
    return pa.table(
        {
            "user_id": pa.array(user.astype(str)),
            "task": pa.array(np.where(np.arange(rows) < old_rows, "old", "new")),
            "relevant": relevant,
            f"candidate/{METRIC}": candidate / possible,
            f"champion/{METRIC}": champion / possible,
        }
    )


def plant_loss(per_row: pa.Table, task: str, loss: float, seed: int) -> pa.Table:
    """The table with the share `loss` of the candidate's hits on the task taken away at random."""
    rng = np.random.default_rng((seed, 1))
    possible = np.minimum(K, per_row["relevant"].to_numpy())
    hits = np.rint(per_row[f"candidate/{METRIC}"].to_numpy() * possible).astype(np.int64)
    kept = np.where(pc.equal(per_row["task"], task).to_numpy(), rng.binomial(hits, 1 - loss), hits)
    column = per_row.column_names.index(f"candidate/{METRIC}")
    return per_row.set_column(column, f"candidate/{METRIC}", pa.array(kept / possible))


def rejected_share(pair: Callable[[int], pa.Table], pairs: int, config: GateConfig) -> float:
    """Share of `pairs` pairs, each made by `pair(seed)`, that the gate rejects."""
    summary: dict = {}
    return float(
        np.mean([judge(pair(seed), summary, HEALTHY, config).status == REJECTED for seed in range(pairs)])
    )
