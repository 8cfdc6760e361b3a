"""What a model state says of rows: ranks for judging, lists and scores as they will be served."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features import rows as layout
from components.features.data_state import DataState
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.moment import as_of_push, withdrawn
from components.trainer.ranker import Ranker, best
from components.trainer.state import ModelState
from components.trainer.vocabulary import look_up

CHUNK_SCORES = 2**24
"""Scores that are held at a time."""


class Scorer:
    """A model state against the catalogue of a data state."""

    def __init__(self, state: ModelState, data: DataState) -> None:
        self.state, self.data = state, data
        self._lookups = Lookups(state)

    @cached_property
    def _before(self) -> Ranker:
        """Items with their prices before the span, as rows of the span see them."""
        return Ranker(self.state, self._lookups, self.data, price="price_before")

    @cached_property
    def _pushed(self) -> Ranker:
        return Ranker(self.state, self._lookups, self.data, price="price", withdrawn=withdrawn(self.data))

    @cached_property
    def _pushed_matrix(self) -> tf.Tensor:
        return self._pushed.matrix(tf.constant(self.data.trends(self.data.span + 1)))

    def ranks(self, rows: pa.Table) -> np.ndarray:
        """int64 [items of all rows]: the 1-based rank of every item that a row holds, in the rows' order.

        Candidates are the items that there were on the row's own day: were all of today's, values of old rows
        would fall as the catalogue grows, whatever is forgotten. Of equal scores the worse rank counts, and
        an item that is no candidate gets a rank behind all. Trends are as of each row's own span, the price
        is the one before the data state's span.
        """
        ranker = self._before
        items = self.data.catalogue.num_rows
        users = Users.encode(self.state, self._lookups, rows)
        histories = Histories.encode(ranker.catalogue, rows)
        bounds = layout.offsets(rows, "item_id")
        positions = look_up(ranker.catalogue.positions, layout.flat(rows, "item_id"))
        spans = np.asarray(layout.scalar(rows, "span"))
        every_item = np.arange(1, items + 1)
        ranks = np.full(len(positions), items + 1, np.int64)
        for span in np.unique(spans):
            matrix = ranker.matrix(tf.constant(self.data.trends(int(span))))
            absent = ranker.catalogue.absent(every_item, np.array([span]))[0]
            of_span = np.flatnonzero(spans == span)
            for chunk in _chunks(of_span, items):
                scores = ranker.scores({**users.of(chunk), **histories.of(chunk)}, matrix).numpy()
                np.nan_to_num(scores, copy=False, nan=-np.inf)
                scores[:, absent] = -np.inf
                for row, of_row, ordered in zip(chunk, scores, np.sort(scores, axis=1), strict=True):
                    wanted = slice(bounds[row], bounds[row + 1])
                    place = np.maximum(positions[wanted] - 1, 0)
                    known = (positions[wanted] > 0) & ~absent[place]
                    own = of_row[place]
                    worse = items - np.searchsorted(ordered, own)
                    ranks[wanted] = np.where(known, worse, items + 1)
        return ranks

    def top_k(self, rows: pa.Table, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids, object [rows, k], and scores, float32 [rows, k], best first, as the push will serve them.

        Features and histories are the rows' own; trends, prices, weekday are as of the day after the data
        state, the hour is unknown. A list is as long as the catalogue where k is larger; "" with score 0
        stands at its end where items are withdrawn.
        """
        ids = np.array(["", *self.data.catalogue.column("item_id").to_pylist()], object)
        items = self.data.catalogue.num_rows
        k = min(k, items)
        top, scores = np.empty((rows.num_rows, k), np.int64), np.empty((rows.num_rows, k), np.float32)
        users, histories = self._served(rows)
        for chunk in _chunks(np.arange(rows.num_rows), items):
            all_scores = self._pushed.scores({**users.of(chunk), **histories.of(chunk)}, self._pushed_matrix)
            positions, values = best(all_scores, k)
            top[chunk], scores[chunk] = positions.numpy(), values.numpy()
        return ids[top], scores

    def score(self, rows: pa.Table, item_ids: list[str]) -> np.ndarray:
        """float32 [rows]: the score of one item a row, as the push will serve it; -inf if it is unknown
        or withdrawn."""
        users, histories = self._served(rows)
        every = np.arange(rows.num_rows)
        positions = look_up(self._pushed.catalogue.positions, pa.array(item_ids, pa.string()))
        return self._pushed.pairs(
            {**users.of(every), **histories.of(every)}, tf.constant(positions), self._pushed_matrix
        ).numpy()

    def _served(self, rows: pa.Table) -> tuple[Users, Histories]:
        users = as_of_push(Users.encode(self.state, self._lookups, rows), self.data.span)
        return users, Histories.encode(self._pushed.catalogue, rows)


def _chunks(rows: np.ndarray, items: int) -> list[np.ndarray]:
    size = max(1, CHUNK_SCORES // max(items, 1))
    return [rows[start : start + size] for start in range(0, len(rows), size)]
