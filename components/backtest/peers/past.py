"""All takes up to a moment as sparse matrices: what every peer is fitted on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse  # type: ignore[import-untyped]

Scores = Callable[[np.ndarray], np.ndarray]
"""int64 [rows], users of the past (-1: unknown) → float32 [rows, items of the catalogue]."""


class Past:
    """Takes (`walk.TAKES`) before a span; items are those of `catalogue`, in its order.

    gone: bool [items], those that are no candidates any more.
    """

    def __init__(
        self,
        takes: pa.Table,
        catalogue: pa.Array,
        span: int,
        seed: int = 0,
        gone: np.ndarray | None = None,
    ) -> None:
        takes = takes.filter(pc.less(takes.column("span"), span))
        item = pc.index_in(takes.column("item_id"), catalogue)
        users = takes.column("user_id").combine_chunks().dictionary_encode()
        self.catalogue, self.span, self.seed = catalogue, span, seed
        self.gone = np.zeros(len(catalogue), bool) if gone is None else gone
        self.users: pa.Array = users.dictionary
        self.user = users.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self.item = item.to_numpy().astype(np.int64)
        self.age = (span - takes.column("span").to_numpy()).astype(np.float32)  # days, from 1
        weight = takes.column("weight").to_numpy().astype(np.float32)
        self.weight = weight / max(weight.max(initial=0.0), 1e-12)
        """The weightiest behaviour of the log at 1: settings mean the same where there are clicks alone."""
        self._counts: dict[float, sparse.csr_matrix] = {}

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users), len(self.catalogue)

    def counts(self, half_life: float) -> sparse.csr_matrix:
        """float32 [users, items]: Σ weight · 2^(−age / half-life) over the days on which it was taken."""
        if half_life not in self._counts:
            decayed = self.weight * np.exp2(-self.age / half_life)
            self._counts[half_life] = sparse.csr_matrix((decayed, (self.user, self.item)), self.shape)
        return self._counts[half_life]

    def popularity(self, days: float) -> np.ndarray:
        """float32 [items]: takers in the last so many days, the most popular item at 1."""
        recent = np.bincount(self.item[self.age <= days], minlength=self.shape[1])
        return (recent / max(recent.max(initial=0), 1)).astype(np.float32)

    @cached_property
    def by_popularity(self) -> np.ndarray:
        """int64 [items]: the most popular of the last 28 days first."""
        return np.argsort(-self.popularity(28), kind="stable")

    def top(self, items: int) -> np.ndarray:
        """int64: the positions of at most so many most popular items, ascending."""
        return np.sort(self.by_popularity[:items])

    def widened(self, scores: np.ndarray, top: np.ndarray) -> np.ndarray:
        """Scores of `top` items as scores of all: the others stand behind, by popularity."""
        everything = np.empty((len(scores), self.shape[1]), np.float32)
        everything[:] = scores.min(initial=0.0) - 2.0 + self.popularity(28)
        everything[:, top] = scores
        return everything


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Every row divided by its Euclidean length."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1.0 / np.maximum(length, 1e-12)).astype(np.float32) @ matrix


def strongest(similarity: np.ndarray, neighbours: int) -> sparse.csr_matrix:
    """Of each row of a dense matrix its largest positive entries, at most so many."""
    keep = min(neighbours, similarity.shape[1])
    columns = np.argpartition(-similarity, keep - 1, axis=1)[:, :keep]
    values = np.maximum(np.take_along_axis(similarity, columns, axis=1), 0.0)
    rows = np.repeat(np.arange(len(similarity)), keep)
    found = sparse.csr_matrix((values.ravel(), (rows, columns.ravel())), similarity.shape, dtype=np.float32)
    found.eliminate_zeros()
    return found
