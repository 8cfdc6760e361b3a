"""Days that were learned and then delivered otherwise: only the difference is learned, and memories follow.

A row is a user at a moment. Of a corrected day's rows those are learned that stand on events which its line
has not learned: of a row that stands on both, what it had not taken before. Events that were withdrawn cannot
be unlearned from weights; they leave the histories (ingest sees to that) and the memories: remembered rows of
every day that was ingested again are exchanged for what they are now, and those that are no more are dropped.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features.rows import concat, lists, offsets, scalar
from schemas.rows import EVENT_LISTS, ITEM_LISTS, ITEM_PREFIX

Key = tuple[str, int, int]


def added(now: pa.Table, learned: pa.Table) -> pa.Table:
    """Rows of `now` that stand on events which `learned` does not have; with these events alone.

    Both are rows of the same spans. Of a row whose moment was learned in part, the items that it had then
    are left out, unless nothing else is left: then an item was taken once more, in another way.
    """
    known = set(_values(learned, "event_id"))
    items_then: dict[Key, set[str]] = defaultdict(set)
    for key, items in zip(keys(learned), learned.column("item_id").to_pylist(), strict=True):
        items_then[key].update(items)
    chosen, items_kept, events_kept = [], [], []
    columns = (now.column(name).to_pylist() for name in ("item_id", "event_id"))
    for place, (key, items, events) in enumerate(zip(keys(now), *columns, strict=True)):
        new_events = [one not in known for one in events]
        if any(new_events):
            new_items = [one not in items_then[key] for one in items]
            chosen.append(place)
            items_kept += new_items if any(new_items) else [True] * len(items)
            events_kept += new_events
    rows = now.take(pa.array(chosen, pa.int64()))
    return _filtered(_filtered(rows, _item_columns(rows), items_kept), list(EVENT_LISTS), events_kept)


def exchanged(memory: pa.Table, now: pa.Table, spans: set[int], whole_day: bool) -> pa.Table:
    """Remembered rows, those of `spans` as they are in `now`; those that are not there are dropped.

    whole_day: a row is a user's whole day (held out), whatever moment it began at.
    """
    of_spans = np.isin(np.asarray(scalar(memory, "span")), list(spans))
    if not of_spans.any():
        return memory
    wanted = set(keys(memory.filter(pa.array(of_spans)), whole_day))
    found = [place for place, key in enumerate(keys(now, whole_day)) if key in wanted]
    return concat([memory.filter(pa.array(~of_spans)), now.take(pa.array(found, pa.int64()))])


def keys(rows: pa.Table, whole_day: bool = False) -> list[Key]:
    """User, span and moment of every row; the moment is 0 where a row is a whole day."""
    users, spans = _values(rows, "user_id"), np.asarray(scalar(rows, "span")).tolist()
    moments = [0] * len(spans) if whole_day else np.asarray(scalar(rows, "timestamp")).tolist()
    return list(zip(users, map(int, spans), map(int, moments), strict=True))


def _values(rows: pa.Table, name: str) -> list[str]:
    return pc.list_flatten(rows.column(name)).to_pylist()


def _item_columns(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if name in ITEM_LISTS or name.startswith(ITEM_PREFIX)]


def _filtered(rows: pa.Table, names: list[str], kept: list[bool]) -> pa.Table:
    """The rows with some entries of aligned list columns alone; `kept` is flat, row after row."""
    if not rows.num_rows:
        return rows
    mask = np.array(kept, bool)
    bounds = offsets(rows, names[0])
    lengths = np.add.reduceat(np.append(mask, False).astype(np.int64), bounds[:-1])
    lengths[np.diff(bounds) == 0] = 0
    for name in names:
        place = rows.column_names.index(name)
        values = pc.list_flatten(rows.column(name)).filter(pa.array(mask))
        rows = rows.set_column(place, name, lists(lengths, values, rows.schema.field(name).type.value_type))
    return rows
