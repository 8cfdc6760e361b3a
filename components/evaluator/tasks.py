"""Which held-out rows are the old task, which the new, and what else they can be sliced by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from schemas.spans import date_of

AGES = ((7, "1-7 days"), (28, "8-28 days"), (91, "29-91 days"))
OLDER = "older"


@dataclass(frozen=True)
class Tasks:
    """One entry a row.

    new: bool, the new task: spans being learned, pooled with the trailing days for power;
    own: bool, of the spans being learned alone; week: ISO week `2017-W23`, the stratum of the old task.
    """

    new: np.ndarray
    own: np.ndarray
    week: np.ndarray

    @property
    def old(self) -> np.ndarray:
        return ~self.new


def week_of(span: int) -> str:
    """The ISO week that the span lies in."""
    year, week, _ = date_of(span).isocalendar()
    return f"{year}-W{week:02d}"


def split(spans: np.ndarray, span: int, spans_learned: Collection[int], trailing_days: int) -> Tasks:
    """Part rows by their own span (int64 [rows]); `span` is the last day learned."""
    own = np.isin(spans, list(spans_learned))
    trailing = (spans > span - trailing_days) & (spans <= span)
    return Tasks(new=own | trailing, own=own, week=np.array([week_of(one) for one in spans], dtype=object))


def age_of(spans: np.ndarray, span: int) -> np.ndarray:
    """How long ago a row's day was, as one of a few named ages; object [rows]."""
    days = span - spans + 1
    edges = np.array([edge for edge, _ in AGES])
    return np.array([name for _, name in AGES] + [OLDER], dtype=object)[np.searchsorted(edges, days)]
