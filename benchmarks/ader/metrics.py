"""recall@20 and MRR@20 of ranks, as the authors count them: a rank beyond 20 counts nothing."""

from __future__ import annotations

import numpy as np

K = 20


def recall(ranks: np.ndarray) -> float:
    """The share of 1-based ranks that are 20 or better."""
    return float((ranks <= K).mean())


def mrr(ranks: np.ndarray) -> float:
    """The mean of 1 / rank, 0 for ranks beyond 20."""
    return float(np.where(ranks <= K, 1.0 / ranks, 0.0).mean())
