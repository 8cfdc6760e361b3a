"""The data state: what is known at the end of a day, carried from day to day and never rebuilt."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.features import catalogue as catalogues
from components.features import history as histories
from components.features.digest import of_table
from components.features.moments import Context, Taken, build
from schemas.events import EVENTS
from schemas.spans import date_of

_TABLES = ("catalogue", "users", "history", "item_days")
_HEAD = "state.json"


@dataclass(frozen=True)
class DataState:
    """State as of the end of `span`.

    catalogue: a row an item that exists or comes on the day after: item_id, name (where known), features
        (string or float32), price (last seen up to the end of the span), price_before (last seen before the
        span began), first_span, announced (days before it from which the catalogue held the item, 1 or 0; 0
        where there is no such column); sorted by (first_span, item_id).
    users: a row a user seen or in the user table: user_id, features, first_span (null: not seen yet).
    history: `history.HISTORY`, a row a (user, item).
    item_days: `catalogue.ITEM_DAYS`, positive events by day and item, sorted by (span, item_id).
    """

    span: int
    spans: dict[int, str]
    """Every span that is in it -> digest of its accepted events."""
    catalogue: pa.Table
    users: pa.Table
    history: pa.Table
    item_days: pa.Table
    row_history_items: int = 200

    def save(self, folder: str | Path) -> None:
        """Writes four Parquet tables and `state.json` into the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            pq.write_table(getattr(self, name), folder / f"{name}.parquet", compression="zstd")
        head = {"span": self.span, "spans": self.spans, "row_history_items": self.row_history_items}
        (folder / _HEAD).write_text(json.dumps(head, indent=1, sort_keys=True))

    @classmethod
    def load(cls, folder: str | Path) -> DataState:
        """FileNotFoundError where the folder holds no data state, ValueError where it lacks a column that
        this release needs."""
        folder = Path(folder)
        head = json.loads((folder / _HEAD).read_text())
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in _TABLES}
        spans = spans_in(folder)
        _require_columns(tables, folder, min(spans), head["span"])
        return cls(span=head["span"], spans=spans, row_history_items=head["row_history_items"], **tables)

    def digest(self) -> str:
        """SHA-256 of the content, whatever files or chunks it came from."""
        total = hashlib.sha256(json.dumps([self.span, self.spans, self.row_history_items]).encode())
        for name in _TABLES:
            total.update(of_table(getattr(self, name)).encode())
        return total.hexdigest()

    def as_of(self, span: int) -> DataState:
        """What of it was there at the end of an earlier span: its items and daily counts.

        Histories, features and prices stay those of today: rows carry their own.
        """
        known = catalogues.as_of(self.catalogue, span)
        counted = self.item_days.filter(pc.less_equal(self.item_days.column("span"), span))
        spans = {one: digest for one, digest in self.spans.items() if one <= span}
        return replace(self, span=span, spans=spans, catalogue=known, item_days=counted)

    def trends(self, span: int) -> np.ndarray:
        """float32 [items of the catalogue, 5]: log1p(events in the 1, 3, 7, 28 days before), novelty."""
        counted = catalogues.trends(self.item_days, self.catalogue.column("item_id"), span)
        novelty = catalogues.novelty(catalogues.announced_from(self.catalogue), span)
        return np.concatenate([counted, novelty[:, None]], axis=1)

    def histories(self, user_ids: list[str] | pa.Array, at: int) -> pa.Table:
        """Rows (`schemas.rows`, without items) of the users, in the given order, as of `at` microseconds.

        `at` lies after the span; unknown users get rows without features and history.
        """
        wanted = pa.array(user_ids, pa.string()) if isinstance(user_ids, list) else user_ids
        states = histories.states(histories.of_users(self.history, wanted), EVENTS.empty_table(), {})
        moments = np.full(len(wanted), at, np.int64)
        context = Context(self.users, self.catalogue, self.item_days)
        nothing = Taken.nothing(len(wanted))
        return build(wanted, moments, self.span + 1, states, nothing, context, self.row_history_items)


def _require_columns(tables: dict[str, pa.Table], folder: Path, first_span: int, span: int) -> None:
    for name, empty in empty_tables().items():
        if lacking := [one.name for one in empty.schema if one not in tables[name].schema]:
            raise ValueError(
                f"the data state {folder} was written by another release (its {name} lacks"
                f" {', '.join(lacking)}): make it anew with `everlearn bootstrap --force"
                f" --from {date_of(first_span)} --to {date_of(span)}`, then run the day again"
            )


def spans_in(folder: Path) -> dict[int, str]:
    """Every span that is in a saved data state -> digest of its accepted events; without loading it."""
    return {int(span): digest for span, digest in json.loads((folder / _HEAD).read_text())["spans"].items()}


def changed_spans(then: Path, now: Path) -> set[int]:
    """The spans that are in both saved data states, with other accepted events."""
    before, after = spans_in(then), spans_in(now)
    return {span for span in before.keys() & after.keys() if before[span] != after[span]}


def empty_tables() -> dict[str, pa.Table]:
    """The tables of a state before any event."""
    return {
        "catalogue": catalogues.EMPTY_CATALOGUE,
        "users": catalogues.EMPTY_USERS,
        "history": histories.HISTORY.empty_table(),
        "item_days": catalogues.ITEM_DAYS.empty_table(),
    }
