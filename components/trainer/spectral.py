"""Where items of ids alone begin: near the items that the same users took.

    L = (D_u + τ_u)^-½ · M · (D_i + τ_i)^-½        M[u, i] = log(1 + days on which u took i)

D are the row and column sums of M and τ a share of their means, without which a user of unusual items makes a
direction of his own (Qin & Rohe 2013). The right singular vectors of L place items by who takes them (Dhillon
2001); the first tells how often they are taken, which trends and biases know. What could be chance is taken
off: the largest singular value, after the first, of the same matrix with its items shuffled (parallel
analysis: Horn 1965). A log that is too small or too sparse to tell anything so starts with nothing from here.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse  # type: ignore[import-untyped]
from scipy.sparse.linalg import svds  # type: ignore[import-untyped]

from components.features.rows import flat, offsets, scalar
from components.trainer.vocabulary import Vocabulary

STEADY = 0.2
"""τ, as a share of the mean sum."""
SIZE = 0.3
"""Root mean square of a coordinate whose singular value is as large as the first, and certain."""
MORE = 1.0001
"""By what factor a value is above chance: equal ones differ by rounding."""
WHOLE = 1_000_000
"""Entries, zeros too, up to which a matrix is decomposed whole."""
BY_CHANCE = 3
"""Singular values of the shuffled matrix: the first, the one that counts, and one to spare."""


def item_rows(rows: pa.Table, items: Vocabulary, width: int, seed: int) -> np.ndarray:
    """float32 [items.size, width] from the positives of `rows`, which are sorted canonically.

    Zero for what is not among them, and where they do not tell.
    """
    of_rows: pa.Array = scalar(rows, "user_id")
    users = of_rows.dictionary_encode()
    user = np.repeat(users.indices.to_numpy(), np.diff(offsets(rows, "item_id")))
    found = pc.index_in(flat(rows, "item_id"), pa.array(items.ids, pa.string()))
    known = np.asarray(found.is_valid())
    item = found.drop_null().to_numpy().astype(np.int64)
    start = np.zeros((items.size, width), np.float32)
    if len(item):
        shape = (len(users.dictionary), len(items.ids))
        vectors = embedded(sparse.csr_matrix((np.ones(len(item)), (user[known], item)), shape), width, seed)
        start[1:, : vectors.shape[1]] = vectors
    return start


def embedded(days: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    """float64 [items, at most width] of how many days each user took each item on, float64 [users, items]."""
    days.sum_duplicates()
    items = days.shape[1]
    count = min(width + 1, min(days.shape) - 1)
    if count < BY_CHANCE:
        return np.zeros((items, 0))
    entries = days.tocoo()
    shuffled = np.random.default_rng(seed).permutation(entries.col)
    by_chance, _ = _singular(
        sparse.csr_matrix((entries.data, (entries.row, shuffled)), days.shape), BY_CHANCE
    )
    values, vectors = _singular(days, count)
    above = np.where(values > MORE * by_chance[1], values**2 - by_chance[1] ** 2, 0.0)
    certain = np.sqrt(above) / values[0]
    taken = np.count_nonzero(np.asarray(days.sum(axis=0)))
    return SIZE * np.sqrt(taken) * vectors[:, 1:] * certain[1:]


def _singular(days: sparse.csr_matrix, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest singular values of L, falling, and the right vectors, [items, count]."""
    matrix = days.log1p()
    user, item = (np.asarray(matrix.sum(axis=axis)).ravel() for axis in (1, 0))
    scaled = sparse.diags(_power(user)) @ matrix @ sparse.diags(_power(item))
    if np.prod(scaled.shape, dtype=np.float64) <= WHOLE:
        # Where many values are equal Lanczos' vectors depend on what the process has drawn before.
        _, values, vectors = np.linalg.svd(scaled.toarray(), full_matrices=False)
        return values[:count], vectors[:count].T
    _, values, vectors = svds(scaled, k=count, v0=np.ones(min(scaled.shape)))
    falling = np.argsort(-values)
    return values[falling], vectors[falling].T


def _power(sums: np.ndarray) -> np.ndarray:
    return (sums + STEADY * sums[sums > 0].mean()) ** -0.5
