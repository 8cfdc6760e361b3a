"""iALS: matrix factorisation of implicit feedback (Hu, Koren & Volinsky, ICDM 2008), by `implicit`.

A pair's confidence is 1 + `confidence` · decayed count, and 1 where nothing was taken: the library takes the
values of the matrix as confidences, so that the 1 is added here.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from components.backtest.peers.past import Past, Scores

GRID = tuple(
    {"half_life": half_life, "factors": factors, "ridge": ridge, "confidence": confidence}
    for half_life in (60.0, 14.0)
    for factors in (64, 16)
    for ridge in (10.0, 30.0)
    for confidence in (3.0, 10.0, 30.0)
)
ITERATIONS = 10


def confidences(past: Past, half_life: float, confidence: float) -> sparse.csr_matrix:
    """float32 [users, items]: of the pairs that were taken."""
    counts = past.counts(half_life).copy()
    counts.data = 1.0 + confidence * counts.data
    return counts


def fit(past: Past, half_life: float, factors: int, ridge: float, confidence: float) -> Scores:
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # the library has threads of its own; those of BLAS would fight them
        model = AlternatingLeastSquares(
            factors=factors, regularization=ridge, alpha=1.0, iterations=ITERATIONS,
            num_threads=0, random_state=past.seed, use_gpu=False,
        )  # fmt: skip
        model.fit(confidences(past, half_life, confidence), show_progress=False)
    return lambda users: model.user_factors[np.maximum(users, 0)] @ model.item_factors.T
