"""Churn: how much of what users see changes when the candidate takes the champion's place."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.evaluator.health import Recommender, known_users
from components.metrics import overlap

LENGTH = 20


def overlap_with_champion(
    candidate: Recommender, champion: Recommender | None, rows: pa.Table
) -> float | None:
    """Mean share of a list of 20 that both models agree on, for users of `rows` with a history.

    None without a champion or without such a user. Both answer with today's data: weights alone differ.
    """
    asked = known_users(rows)
    if champion is None or not asked.num_rows:
        return None
    before, now = (np.asarray(model.top_k(asked, LENGTH)[0]) for model in (champion, candidate))
    return overlap(before, now)
