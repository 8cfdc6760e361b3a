"""Sessions as rows of the row contract: a session is a user, a period a span, an event a day from the next.

Real times are not published; what counts is the order. As where only recent items are told of a request, the
newest given event is a day old, the one before two days. Periods are weeks: their spans lie seven apart. A
session never comes back: the data state carries no history of it, and so it gets no row of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from benchmarks.ader.sessions import Cases, Sessions
from components.features import rows as layout
from components.features.data_state import DataState, empty_tables
from components.trainer.moment import RECENT_AGE
from schemas.rows import DECAYED, DECAYS, TRENDS
from schemas.spans import span_of, start_of

FIRST_SPAN = span_of(dt.date(2016, 1, 4))
DAYS = 7
BEHAVIOR = "click"
_SECOND = 1_000_000


def span(period: int) -> int:
    return FIRST_SPAN + DAYS * period


def data_state(periods: Sequence[Sessions]) -> DataState:
    """What is known after these periods: all item ids up to the largest seen, and their views by period."""
    last = len(periods) - 1
    largest = np.maximum.accumulate([one.largest for one in periods])
    ids = np.arange(1, largest[-1] + 1)
    nothing = pa.nulls(len(ids), pa.float32())
    catalogue = pa.table(
        {
            "item_id": _texts(ids),
            "price": nothing,
            "price_before": nothing,
            "first_span": pa.array(span(0) + DAYS * np.searchsorted(largest, ids), pa.int64()),
        }
    )
    counts = [np.bincount(one.items) for one in periods]
    days = [
        pa.table(
            {
                "span": pa.array(np.full(np.count_nonzero(count), span(period)), pa.int64()),
                "item_id": _texts(np.flatnonzero(count)),
                "events": pa.array(count[count > 0], pa.int32()),
            }
        )
        for period, count in enumerate(counts)
    ]
    spans = {span(period): str(period) for period in range(last + 1)}
    tables = {**empty_tables(), "catalogue": catalogue, "item_days": pa.concat_tables(days)}
    return DataState(span=span(last), spans=spans, **tables)


def rows(sessions: Sessions, period: int) -> pa.Table:
    """A row a case, in the cases' order, in the layout of `schemas.rows`; without features."""
    cases = Cases.of(sessions)
    count = len(cases.answer)
    ones = np.ones(count, np.int64)
    case = np.repeat(np.arange(count), np.diff(cases.bounds))
    age = (cases.bounds[1:][case] - np.arange(len(case))).astype(np.float32) * np.float32(RECENT_AGE)
    entries = _Entries(case, cases.given, age)
    before, since = entries.of(np.arange(count), cases.answer)
    moment = start_of(span(period)) + cases.place * _SECOND
    lengths = np.bincount(entries.case, minlength=count)
    columns = {
        "user_id": (ones, _texts(sessions.ids[cases.session])),
        "span": (ones, np.full(count, span(period))),
        "timestamp": (ones, moment),
        "hour": (ones, np.zeros(count, np.int64)),
        "weekday": (ones, np.zeros(count, np.int64)),
        "item_id": (ones, _texts(cases.answer)),
        "behavior": (ones, pa.array([BEHAVIOR] * count, pa.string())),
        "times_before": (ones, before),
        "days_since": (ones, since),
        "history_item": (lengths, _texts(entries.item)),
        "history_behavior": (lengths, pa.array([BEHAVIOR] * len(entries.item), pa.string())),
        "history_times": (lengths, entries.times),
        "history_first": (lengths, entries.first),
        "history_last": (lengths, entries.last),
        "event_id": (ones, _texts(cases.session * 1_000_000 + cases.place)),
    }
    columns |= {name: (lengths, entries.decayed[:, n]) for n, name in enumerate(DECAYED)}
    columns |= {name: (ones, np.full(count, np.nan, np.float32)) for name in TRENDS}
    schema = layout.schema({}, {})
    arrays = [layout.lists(*columns[field.name], field.type.value_type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


class _Entries:
    """One entry a (case, item) that was given, by case and then oldest last-taken first."""

    def __init__(self, case: np.ndarray, item: np.ndarray, age: np.ndarray) -> None:
        order = np.lexsort((age, item, case))
        case, item, age = case[order], item[order], age[order]
        starts = np.flatnonzero(np.concatenate([[True], (np.diff(case) != 0) | (np.diff(item) != 0)]))
        times = np.diff([*starts, len(case)])
        decay = 2.0 ** (-age[:, None] / np.array(DECAYS, np.float32))
        by_age = np.lexsort((-age[starts], case[starts]))
        place = starts[by_age]
        self.case, self.item, self.times = case[place], item[place], times[by_age]
        self.last, self.first = age[place], age[place + self.times - 1]
        self.decayed = np.add.reduceat(decay, starts)[by_age].astype(np.float32)

    def of(self, case: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How often each case, all in order, was given the item, and how long ago last (NaN: never)."""
        same = np.flatnonzero(self.item == item[self.case])
        times, since = np.zeros(len(case), np.int64), np.full(len(case), np.nan, np.float32)
        times[self.case[same]], since[self.case[same]] = self.times[same], self.last[same]
        return times, since


def _texts(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers, pa.int64()).cast(pa.string())
