"""EASE (Steck, WWW 2019): B = I − P / diag(P) with P = (XᵀX + λI)⁻¹; score = x_u B."""

from __future__ import annotations

import numpy as np
from scipy import linalg  # type: ignore[import-untyped]

from components.backtest.peers.past import Past, Scores

ITEMS = 4000
"""Most popular items that are modelled; the others follow by popularity."""

GRID = tuple(
    {"half_life": half_life, "ridge": ridge}
    for half_life in (60.0, 14.0, 1e6)
    for ridge in (20.0, 100.0, 500.0)
)


def fit(past: Past, half_life: float, ridge: float) -> Scores:
    top = past.top(ITEMS)
    counts = past.counts(half_life)[:, top]
    taken = counts.copy()
    taken.data = np.minimum(taken.data, 1.0)
    gram = (taken.T @ taken).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += ridge
    factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = linalg.cho_solve(
        factor, np.eye(len(top), dtype=np.float32), overwrite_b=True, check_finite=False
    )
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return lambda users: past.widened(taken[np.maximum(users, 0)] @ weights, top)
