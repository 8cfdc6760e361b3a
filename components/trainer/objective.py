"""The λ-weighted objective: λ · L_old + (1 − λ) · L_new, whatever the sizes of the day and of the slice.

L_old and L_new are means over rows. A uniform slice (`components.replay.slice`) has a mean that is an
unbiased estimate of that of all remembered rows, and the objective is exact in expectation. Costs nothing.
"""

from __future__ import annotations

import numpy as np


def row_weights(old: np.ndarray, share: float) -> np.ndarray:
    """float32 [rows], their mean is 1. old: bool [rows], replayed ones; share: λ in [0, 1].

    All are 1 where only one kind is there.
    """
    count, olds = len(old), int(old.sum())
    if olds in (0, count):
        return np.ones(count, np.float32)
    return np.where(old, share * count / olds, (1.0 - share) * count / (count - olds)).astype(np.float32)
