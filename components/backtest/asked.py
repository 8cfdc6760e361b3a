"""The rows of a day as every line is asked about them, and both views of what it answers.

One question serves both views. A row asks for the ranks of its relevant items *and* of all items its
user had before; the rank of a new item among new items alone is then its rank less the number of had
items that stand no lower. Whatever can rank (`ranks(rows)`) can be asked: the model and every peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.features import rows as layout
from components.features.catalogue import withdrawn
from components.features.data_state import DataState
from components.metrics import metric, owners

ALL, NEW, TAKEN = "all", "new", "taken"
VIEWS = (ALL, NEW)
"""What lines are compared in. `taken` is `all` with items that nobody had taken before out of reach."""
UNKNOWN_HOUR = -1
FLAGS = ("relevant", "had", "known", "taken")
OUT_OF_REACH = 2**31
"""A rank behind that of any catalogue."""


class Ranker(Protocol):
    def ranks(self, rows: pa.Table) -> np.ndarray:
        """1-based rank of every item of the rows' `item_id` lists among the whole catalogue, int64, flat."""


@dataclass(frozen=True)
class Asked:
    """User-days of one span.

    rows: in the layout of `schemas.rows`; `item_id` holds the relevant items and all that the user had.
    owner: int64, whose each of these items is; relevant, had, known (a candidate that day), taken (by
    anybody before): bool, aligned.
    """

    rows: pa.Table
    owner: np.ndarray
    relevant: np.ndarray
    had: np.ndarray
    known: np.ndarray
    taken: np.ndarray

    @classmethod
    def of(cls, user_days: pa.Table, before: DataState) -> Asked:
        """The user-days of those seen before, as of the data state at the end of the day before.

        A served list does not know at what hour it will be read: the rows do not, either.
        """
        rows = seen_before(user_days)
        rows = _with(rows, "hour", pa.array([[UNKNOWN_HOUR]] * rows.num_rows, pa.list_(pa.int64())))
        users = layout.scalar(rows, "user_id")
        mine = before.history.filter(pc.is_in(before.history.column("user_id"), users))
        had_row = pc.index_in(mine.column("user_id"), users).to_numpy().astype(np.int64)
        row = owners(rows)
        taken = pa.chunked_array([layout.flat(rows, "item_id"), *mine.column("item_id").chunks], pa.string())
        encoded = taken.combine_chunks().dictionary_encode()
        code = encoded.indices.to_numpy().astype(np.int64)
        key = np.concatenate([row, had_row]) * max(len(encoded.dictionary), 1) + code
        wanted, had = key[: len(row)], key[len(row) :]
        extra = ~np.isin(had, wanted)
        owner = np.concatenate([row, had_row[extra]])
        order = np.argsort(owner, kind="stable")
        code = np.concatenate([code[: len(row)], code[len(row) :][extra]])[order]
        items = encoded.dictionary.take(pa.array(code))
        lengths = np.bincount(owner, minlength=rows.num_rows)
        return cls(
            rows=_with(rows, "item_id", layout.lists(lengths, items, pa.string())),
            owner=owner[order],
            relevant=(np.arange(len(owner)) < len(row))[order],
            had=np.concatenate([np.isin(wanted, had), np.ones(int(extra.sum()), bool)])[order],
            known=pc.is_in(items, _candidates(before)).to_numpy(zero_copy_only=False),
            taken=pc.is_in(items, before.item_days.column("item_id")).to_numpy(zero_copy_only=False),
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        pq.write_table(self.rows, folder / "rows.parquet")
        pq.write_table(pa.table({name: getattr(self, name) for name in FLAGS}), folder / "items.parquet")

    @classmethod
    def load(cls, folder: Path) -> Asked:
        rows, flags = pq.read_table(folder / "rows.parquet"), pq.read_table(folder / "items.parquet")
        if TAKEN not in flags.column_names:  # kept by an earlier version
            flags = flags.append_column(TAKEN, flags.column("known"))
        return cls(rows, owners(rows), *(flags[name].to_numpy() for name in FLAGS))

    def measure(self, ranker: Ranker, metrics: tuple[str, ...]) -> dict[str, float]:
        """`<metric>_<view>` and `rows_<view>`: means over the rows that have a relevant item in the view."""
        ranks = np.asarray(ranker.ranks(self.rows)) if self.rows.num_rows else np.zeros(0, np.int64)
        values: dict[str, float] = {}
        for view, chosen, of_view in self._views(ranks):
            row = self.owner[chosen]
            values[f"rows_{view}"] = float(len(np.unique(row)))
            for name in metrics:
                a_row = metric(name, of_view[chosen], row, self.rows.num_rows)
                values[f"{name}_{view}"] = float(np.nanmean(a_row)) if len(row) else float("nan")
        return values

    def _views(self, ranks: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        yield ALL, self.relevant, ranks
        yield TAKEN, self.relevant, np.where(self.taken, ranks, OUT_OF_REACH)
        # Who is behind the whole catalogue stays out of reach, however short it gets.
        yield NEW, self.relevant & ~self.had, ranks - np.where(self.known, self._had_above(ranks), 0)

    def _had_above(self, ranks: np.ndarray) -> np.ndarray:
        """int64: of the row's had items, how many rank no lower than this item."""
        order = np.lexsort((~self.had, ranks, self.owner))
        count = np.cumsum(self.had[order])
        owner = self.owner[order]
        first = np.searchsorted(owner, owner)
        before_row = np.concatenate([[0], count])[first] if len(order) else count
        above = np.empty(len(ranks), np.int64)
        above[order] = count - before_row
        return above


def _candidates(before: DataState) -> pa.ChunkedArray:
    """What may be recommended on the day after."""
    gone = withdrawn(before.catalogue, before.span + 1)
    return before.catalogue.column("item_id").filter(pa.array(~gone))


def _with(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)


def seen_before(user_days: pa.Table) -> pa.Table:
    """The rows of users who took something on an earlier day."""
    return user_days.filter(pc.greater(pc.list_value_length(user_days.column("history_item")), 0))


def as_of_morning(data: DataState) -> DataState:
    """The data state of yesterday evening with its last prices, which are today's prices before the day."""
    if "price" not in data.catalogue.column_names:
        return data
    place = data.catalogue.column_names.index("price_before")
    catalogue = data.catalogue.set_column(place, "price_before", data.catalogue.column("price"))
    return replace(data, catalogue=catalogue)
