"""When a served list is thought to be read: on the day after the data state, at an unknown hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from components.features import catalogue as catalogues
from components.features import rows as layout
from components.features.data_state import DataState
from components.trainer.inputs import Users
from schemas.rows import DECAYED, DECAYS
from schemas.spans import date_of, start_of

RECENT_AGE = 1.0
"""Days that lie between one recent item and the next; the newest was taken so long ago."""


def as_of_push(users: Users, span: int) -> Users:
    """The users with the unknown hour and the weekday of the day after `span`."""
    weekday = date_of(span + 1).weekday()
    return replace(users, hours=np.zeros_like(users.hours), weekdays=np.full_like(users.weekdays, weekday))


def push_rows(data: DataState, user_ids: list[str] | pa.Array) -> pa.Table:
    """Rows of users as the export knows them: histories as of the start of the day after the state."""
    return data.histories(user_ids, start_of(data.span + 1))


def withdrawn(data: DataState) -> np.ndarray:
    """bool [items of the catalogue]: those whose `available_until` lies before the day after the state."""
    return catalogues.withdrawn(data.catalogue, data.span + 1)


def recent_rows(data: DataState, recent: list[list[str]]) -> pa.Table:
    """Rows of unknown users who took these items, newest last, as `recommend_recent` reads them.

    An item that comes twice was taken twice; "" is padding.
    """
    rows = push_rows(data, [""] * len(recent))
    names = ("history_item", "history_times", "history_first", "history_last", *DECAYED)
    lists: dict[str, list[list]] = {name: [] for name in names}
    for items in recent:
        ages: dict[str, list[float]] = {}
        for back, item in enumerate(reversed(items), start=1):
            if item:
                ages.setdefault(item, []).append(back * RECENT_AGE)
        oldest_first = list(reversed(ages.items()))
        lists["history_item"].append([item for item, _ in oldest_first])
        lists["history_times"].append([len(of_item) for _, of_item in oldest_first])
        lists["history_first"].append([max(of_item) for _, of_item in oldest_first])
        lists["history_last"].append([min(of_item) for _, of_item in oldest_first])
        for name, half_life in zip(DECAYED, DECAYS, strict=True):
            counts = [sum(2.0 ** (-age / half_life) for age in of_item) for _, of_item in oldest_first]
            lists[name].append(counts)
    for name, values in lists.items():
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.array(values, rows.schema.field(name).type))
    lengths = np.array([len(items) for items in lists["history_item"]])
    behavior = layout.lists(lengths, pa.array([""] * int(lengths.sum()), pa.string()), pa.string())
    return rows.set_column(rows.column_names.index("history_behavior"), "history_behavior", behavior)
