"""What the gate can see: pairs of models with known differences, to measure the gate itself.

Pairs are simulated, or made from the per-row table of two real models by planting a loss into it.
With the default gate and 250 rows of the new task, of 200 pairs each the gate rejected (columns: planted
relative loss of the old task; 0% is another seed of the champion):

    old rows   one day learned again        trained from nothing again
               0%    5%   10%   15%         0%    5%   10%   15%
         250    0    23    76    95          2     7    29    57
         500    0    41    96   100          1     9    47    85
       1,000    0    64   100   100          3    18    77    99
       2,000    0    87   100   100          2    28    95   100
       4,000    0   100   100   100          2    49   100   100    (the default `old_task_rows`)

Real pairs agree: 30 pairs of one day of Complete Journey learned with other seeds (1,783 old rows), none
rejected, a planted loss of 10% caught in 120 of 120 cases.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.gate.config import GateConfig
from components.gate.verdict import REJECTED, judge

RETRAINED, DAY_RELEARNED = 0.40, 0.06
"""Churn that gives the row-wise deviation between two seeds that was measured on Complete Journey: .96 of
the mean for a model trained from nothing again, .38 for one day learned again from the same base."""
K = 20
METRIC = "recall_at_20"
HEALTHY = {
    "diverged": False,
    "finite_report": True,
    "finite_scores": True,
    "users_asked": 200,
    "distinct_lists": 200,
}


def simulated_pair(seed: int, old_rows: int, new_rows: int, users: int, churn: float = RETRAINED) -> pa.Table:
    """A champion and the same model trained with another seed, over rows like Complete Journey's user-days.

    A row has a geometric number of relevant items (12 on average); a user's items are hit at a rate from
    Beta(0.6, 2.6): recall@20 has mean .19, deviation .25 and 44% zeros, against .18, .27 and 42% measured.
    The other seed loses the share `churn` of the hits, and as many misses become hits.
    """
    rng = np.random.default_rng(seed)
    rows = old_rows + new_rows
    user = rng.integers(users, size=rows)
    relevant = np.minimum(rng.geometric(1 / 12, size=rows), 100)
    rate = rng.beta(0.6, 2.6, size=users)[user]
    possible = np.minimum(K, relevant)
    champion = rng.binomial(possible, rate)
    lost = np.minimum(churn, (1.0 - rate) / rate)
    gained = np.minimum(1.0, rate * lost / (1.0 - rate))
    candidate = rng.binomial(champion, 1.0 - lost) + rng.binomial(possible - champion, gained)
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
