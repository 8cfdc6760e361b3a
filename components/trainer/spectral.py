"""Places of items near the items that the same users took: where rows of ids alone begin.

    L = (D_u + τ_u)^-½ · M · (D_i + τ_i)^-½        M[u, i] = log(1 + days on which u took i)

D are the row and column sums of M and τ a share of their means, without which a user of unusual items makes a
direction of his own (Qin & Rohe 2013). The right singular vectors of L place items by who takes them (Dhillon
2001); the first tells how often they are taken, which trends and biases know. What could be chance is taken
off: the largest singular value, after the first, of the same matrix with its items shuffled, the largest of
some shuffles (parallel analysis: Horn 1965). A log that is too small or too sparse to tell anything so starts
with nothing from here. So does an item that hardly anybody took: a single taker makes a direction of his own.
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
PER_PERSON = 5
"""Places a person, at most, that are trusted beside categories."""
LASTING, NEWEST = 0.75, 10
"""Likewise the share, at least, of takes of items that were there before, in the newest of so many parts of
the days."""
TAKERS, SHUFFLES = 3, 3
"""People who took an item, at least, and how often chance is asked."""
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


def trusted(places: np.ndarray, people: int, rows: pa.Table) -> bool:
    """Whether places, [items, width], are worth a start beside categories that tell. people: of `rows`.

    A place is made of the takes that are learned next. Where every person has many items, and few of them
    anybody else's, likeness to one's own past is larger among these than it will be tomorrow. And where
    tomorrow's items are not there yet, what is learned of categories is all that they will have.
    """
    placed = np.count_nonzero(places.any(axis=1))
    return bool(placed <= PER_PERSON * people) and lasting(rows) >= LASTING


def lasting(rows: pa.Table) -> float:
    """The share of the newest tenth of days' positives whose items were taken before; 1 of a single day."""
    spans = np.asarray(scalar(rows, "span"))
    days = int(spans.max() - spans.min() + 1) if len(spans) else 0
    if days < 2:
        return 1.0
    newest = np.repeat(spans, np.diff(offsets(rows, "item_id"))) > spans.max() - max(1, days // NEWEST)
    items: pa.Array = flat(rows, "item_id")
    before = items.filter(pa.array(~newest)).unique()
    return float(np.asarray(pc.is_in(items.filter(pa.array(newest)), value_set=before)).mean())


def embedded(days: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    """float64 [items, at most width] of how many days each user took each item on, float64 [users, items]."""
    days.sum_duplicates()
    shared = np.flatnonzero(np.bincount(days.indices, minlength=days.shape[1]) >= TAKERS)
    told = _vectors(days[:, shared], width, seed)
    start = np.zeros((days.shape[1], told.shape[1]))
    start[shared] = told
    return start


def _vectors(days: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    count = min(width + 1, min(days.shape) - 1)
    if count < BY_CHANCE:
        return np.zeros((days.shape[1], 0))
    chance = _by_chance(days, seed)
    values, vectors = _singular(days, count)
    above = np.where(values > MORE * chance, values**2 - chance**2, 0.0)
    certain = np.sqrt(above) / values[0]
    return SIZE * np.sqrt(days.shape[1]) * vectors[:, 1:] * certain[1:]


def _by_chance(days: sparse.csr_matrix, seed: int) -> float:
    """The largest singular value after the first where who took an item is chance."""
    rng, entries = np.random.default_rng(seed), days.tocoo()
    shuffles = (rng.permutation(entries.col) for _ in range(SHUFFLES))
    matrices = (sparse.csr_matrix((entries.data, (entries.row, one)), days.shape) for one in shuffles)
    return max(_singular(one, BY_CHANCE)[0][1] for one in matrices)


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
