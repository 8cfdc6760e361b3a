"""iALS: matrix factorisation of implicit feedback (Hu, Koren & Volinsky, ICDM 2008), by `implicit`."""

from __future__ import annotations

import numpy as np

from components.backtest.peers.past import Past, Scores

GRID = tuple(
    {"half_life": half_life, "factors": factors, "ridge": ridge, "confidence": confidence}
    for half_life in (60.0, 1e6)
    for factors in (64,)
    for ridge in (10.0, 30.0, 100.0)
    for confidence in (1.0, 3.0)
)
ITERATIONS = 10


def fit(past: Past, half_life: float, factors: int, ridge: float, confidence: float) -> Scores:
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # the library has threads of its own; those of BLAS would fight them
        model = AlternatingLeastSquares(
            factors=factors, regularization=ridge, alpha=confidence, iterations=ITERATIONS,
            num_threads=0, random_state=past.seed, use_gpu=False,
        )  # fmt: skip
        model.fit(past.counts(half_life), show_progress=False)
    return lambda users: model.user_factors[np.maximum(users, 0)] @ model.item_factors.T
