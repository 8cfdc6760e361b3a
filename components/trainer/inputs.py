"""From rows and tables of text to index arrays: the same look-ups for training, scoring and export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features import catalogue as catalogues
from components.features import rows as layout
from components.trainer.state import ModelState
from components.trainer.vocabulary import look_up, lookup_table
from schemas.events import BEHAVIORS
from schemas.rows import DECAYED, USER_PREFIX


class Lookups:
    """The state's vocabularies as look-up tables, made when first asked for."""

    def __init__(self, state: ModelState) -> None:
        self._vocabularies = state.vocabularies
        self._tables: dict[str, Any] = {}

    def __call__(self, name: str, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """int32 [n]: rows of the vocabulary's table, 0 for ids that it does not know."""
        if name not in self._tables:
            self._tables[name] = lookup_table(self._vocabularies[name].ids)
        return look_up(self._tables[name], texts)


@dataclass(frozen=True)
class Catalogue:
    """The items that exist, by *position*: item n of the data state's catalogue is at n + 1, 0 is any other.

    ids: int32 [items + 1] rows of the item tables. categories: int32 [items + 1, columns].
    numbers: float32 [items + 1, columns], NaN where missing. first, last: int32 [items + 1], the spans
    between which an item may be recommended, both included; announced: the first one again, where it was
    known before.
    """

    positions: Any
    """Look-up table item_id -> position."""
    ids: np.ndarray
    categories: np.ndarray
    numbers: np.ndarray
    first: np.ndarray
    last: np.ndarray
    announced: np.ndarray

    @classmethod
    def encode(cls, state: ModelState, lookups: Lookups, table: pa.Table, price: str) -> Catalogue:
        """`price`: the column that stands for the feature `price`, `price` or `price_before`."""
        spec, size = state.spec, table.num_rows
        categories = np.zeros((size + 1, len(spec.item_categories)), np.int32)
        numbers = np.full((size + 1, len(spec.item_numbers)), np.nan, np.float32)
        for place, name in enumerate(spec.item_categories):
            if name in table.column_names:
                categories[1:, place] = lookups(f"item:{name}", table.column(name))
        for place, name in enumerate(spec.item_numbers):
            column = price if name == "price" else name
            if column in table.column_names:
                numbers[1:, place] = table.column(column).to_numpy()
        ids = _by_position(0, lookups("item", table.column("item_id")))
        first = _by_position(0, table.column("first_span").to_numpy())
        last = _by_position(catalogues.FOREVER, catalogues.last_spans(table))
        announced = _by_position(catalogues.LONG_AGO, catalogues.announced_from(table))
        positions = lookup_table(table.column("item_id").to_pylist())
        return cls(positions, ids, categories, numbers, first, last, announced)

    def absent(self, positions: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """bool [spans, positions]: where an item could not be recommended on the day."""
        day = spans[:, None]
        return (day < self.first[positions]) | (day > self.last[positions])


def _by_position(of_none: int, of_items: np.ndarray) -> np.ndarray:
    """int32 [items + 1]: the value of position 0, which is no item, and those of the items."""
    return np.concatenate([[of_none], of_items]).astype(np.int32)


@dataclass(frozen=True)
class Users:
    """Who rows are about, one entry a row; hour 0 is unknown, weekday 0 is Monday."""

    ids: np.ndarray  # int32 [n]
    categories: np.ndarray  # int32 [n, columns]
    numbers: np.ndarray  # float32 [n, columns], NaN where missing
    hours: np.ndarray  # int32 [n], 1 + the hour
    weekdays: np.ndarray  # int32 [n]

    @classmethod
    def encode(cls, state: ModelState, lookups: Lookups, rows: pa.Table) -> Users:
        spec, size = state.spec, rows.num_rows
        categories = np.zeros((size, len(spec.user_categories)), np.int32)
        numbers = np.full((size, len(spec.user_numbers)), np.nan, np.float32)
        for place, name in enumerate(spec.user_categories):
            if USER_PREFIX + name in rows.column_names:
                categories[:, place] = lookups(f"user:{name}", layout.scalar(rows, USER_PREFIX + name))
        for place, name in enumerate(spec.user_numbers):
            if USER_PREFIX + name in rows.column_names:
                numbers[:, place] = layout.scalar(rows, USER_PREFIX + name)
        return cls(
            ids=lookups("user", layout.scalar(rows, "user_id")),
            categories=categories,
            numbers=numbers,
            hours=layout.scalar(rows, "hour").astype(np.int32) + 1,
            weekdays=layout.scalar(rows, "weekday").astype(np.int32),
        )

    def of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The tensors of these rows, as the user tower takes them."""
        return {
            "user": self.ids[rows],
            "user_categories": self.categories[rows],
            "user_numbers": self.numbers[rows],
            "hour": self.hours[rows],
            "weekday": self.weekdays[rows],
        }


@dataclass(frozen=True)
class Histories:
    """Earlier items of each row, flat: row n's entries are bounds[n] to bounds[n + 1]."""

    bounds: np.ndarray  # int64 [n + 1]
    positions: np.ndarray  # int32, in the catalogue
    times: np.ndarray  # float32
    first: np.ndarray  # float32, days ago
    last: np.ndarray  # float32, days ago
    decayed: np.ndarray  # float32 [entries, half-lives of DECAYS]
    behavior: np.ndarray  # int32, of the last time: 1 + place in BEHAVIORS, 0 is unknown

    @classmethod
    def encode(cls, catalogue: Catalogue, rows: pa.Table) -> Histories:
        return cls(
            bounds=layout.offsets(rows, "history_item"),
            positions=look_up(catalogue.positions, layout.flat(rows, "history_item")),
            times=layout.flat(rows, "history_times").astype(np.float32),
            first=layout.flat(rows, "history_first"),
            last=layout.flat(rows, "history_last"),
            decayed=np.stack([layout.flat(rows, name) for name in DECAYED], axis=1),
            behavior=_behavior_codes(layout.flat(rows, "history_behavior")),
        )

    def of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The entries of these rows, one row's after another's; `owner`, int32, is the row's place in `rows`.

        Flat, not padded: rows differ in length, and most of a padded table would be nothing.
        """
        places, owner = entries(self.bounds, rows)
        return {**{name: values[places] for name, values in self.flat().items()}, "owner": owner}

    def flat(self) -> dict[str, np.ndarray]:
        """The entries of all rows by the names of their tensors."""
        return {
            "history": self.positions,
            "times": self.times,
            "first": self.first,
            "last": self.last,
            "decayed": self.decayed,
            "behavior": self.behavior,
        }


def _behavior_codes(names: pa.Array) -> np.ndarray:
    return pc.index_in(names, pa.array(["", *BEHAVIORS], pa.string())).to_numpy().astype(np.int32)


def entries(bounds: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rows' entries in a flat array, int64, and whose they are, int32: a place in `rows`."""
    starts, lengths = bounds[rows], bounds[rows + 1] - bounds[rows]
    owner = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
    before = np.cumsum(lengths) - lengths
    return np.arange(len(owner)) + (starts - before)[owner], owner
