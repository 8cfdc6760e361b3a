"""Sessions by period, and the cases that a period asks: what comes next, at every place after the first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

COLUMNS = ("period", "session_id", "item_id", "row")
LONGEST = 50
"""Newest events of a session that a case may look back on, as in the authors' code."""


@dataclass(frozen=True)
class Sessions:
    """Flat: session n's items are items[bounds[n] : bounds[n + 1]], oldest first. Item ids start at 1."""

    ids: np.ndarray  # int64 [n]
    bounds: np.ndarray  # int64 [n + 1]
    items: np.ndarray  # int64

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.bounds)

    @property
    def largest(self) -> int:
        """The largest item id; 0 where there is no event."""
        return int(self.items.max(initial=0))

    @classmethod
    def of(cls, session_ids: np.ndarray, items: np.ndarray) -> Sessions:
        """From events in the order of time; sessions come in the order of their first events."""
        ids, first, inverse = np.unique(session_ids, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        place = np.empty(len(ids), np.int64)
        place[order] = np.arange(len(ids))
        session = place[inverse]
        by_session = np.argsort(session, kind="stable")
        bounds = np.concatenate([[0], np.cumsum(np.bincount(session, minlength=len(ids)))])
        return cls(ids[order].astype(np.int64), bounds, items[by_session].astype(np.int64))

    def only(self, keep: np.ndarray) -> Sessions:
        """The sessions without events for which `keep` (bool, an event) is false; of two events at least."""
        session = np.repeat(np.arange(len(self.ids)), self.lengths)
        long = np.bincount(session[keep], minlength=len(self.ids)) > 1
        keep = keep & long[session]
        lengths = np.bincount(session[keep], minlength=len(self.ids))[long]
        return Sessions(self.ids[long], np.concatenate([[0], np.cumsum(lengths)]), self.items[keep])

    def known(self, items: np.ndarray) -> Sessions:
        """The sessions without items that are not among `items`; sessions of one event are none."""
        return self.only(np.isin(self.items, items))


def read(path: Path) -> list[Sessions]:
    """The periods in their order; a session that crosses into the next period is one in each.

    ValueError if the file lacks a column. Order within a period is that of `row`.
    """
    table = pq.read_table(path)
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise ValueError(f"{path}: column {missing[0]!r} is missing; it needs {', '.join(COLUMNS)}")
    table = table.sort_by([("period", "ascending"), ("row", "ascending")])
    period, session, item, _ = (table.column(name).to_numpy() for name in COLUMNS)
    return [Sessions.of(session[period == one], item[period == one]) for one in np.unique(period)]


@dataclass(frozen=True)
class Cases:
    """One case an event that is not its session's first: the event is `answer`, what lies before is given.

    Flat: case n's earlier events are given[bounds[n] : bounds[n + 1]], oldest first, LONGEST at most.
    """

    session: np.ndarray  # int64 [n], place of the session
    place: np.ndarray  # int64 [n], of the answer in its session
    answer: np.ndarray  # int64 [n], item ids
    bounds: np.ndarray  # int64 [n + 1]
    given: np.ndarray  # int64, item ids

    @classmethod
    def of(cls, sessions: Sessions) -> Cases:
        lengths = sessions.lengths
        session = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(sessions.items)) - sessions.bounds[session]
        asked = np.flatnonzero(place > 0)
        count = np.minimum(place[asked], LONGEST)
        bounds = np.concatenate([[0], np.cumsum(count)])
        start = np.repeat(asked - count, count)
        events = start + np.arange(bounds[-1]) - np.repeat(bounds[:-1], count)
        return cls(session[asked], place[asked], sessions.items[asked], bounds, sessions.items[events])
