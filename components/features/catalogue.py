"""The global part of the data state: items that exist, users, daily counts of items and their trends."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.rows import TREND_DAYS

ITEM_DAYS = pa.schema([("span", pa.int64()), ("item_id", pa.string()), ("events", pa.int32())])
FOREVER = 2**31 - 1
"""The last span of an item that nobody has withdrawn."""
LONG_AGO = -(2**30)
"""The first span of an item that nobody has announced."""
NOVEL_DAYS = 28
"""Days for which an announced item is new."""
SIGNALS = len(TREND_DAYS) + 1
"""What the model knows of an item as of a day, beside its features: the trends and its novelty."""
EMPTY_CATALOGUE = pa.schema(
    [
        ("item_id", pa.string()),
        ("price", pa.float32()),
        ("price_before", pa.float32()),
        ("first_span", pa.int64()),
    ]
).empty_table()
EMPTY_USERS = pa.schema([("user_id", pa.string()), ("first_span", pa.int64())]).empty_table()


def item_features(catalogue: pa.Table) -> dict[str, pa.DataType]:
    """Feature columns of the catalogue, the price among them."""
    fixed = ("item_id", "name", "available_until", "price_before", "first_span", "announced")
    return {field.name: field.type for field in catalogue.schema if field.name not in fixed}


def user_features(users: pa.Table) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in users.schema if field.name not in ("user_id", "first_span")}


def after(before: pa.Table, items: pa.Table, events: pa.Table, span: int) -> pa.Table:
    """The catalogue at the end of the span: what may be recommended on the day after it.

    An item exists from its first event's day or from its `available_from`, whichever comes first; one that
    the table has for tomorrow is there already, `announced`. It stays when the item table drops it;
    `available_until` stays a column. `price_before` = the newest price of the days before, else the item
    table's; `price` takes in the prices of this day.
    """
    seen = events.column("item_id").unique()
    parts = [before.column("item_id").combine_chunks(), seen]
    if "available_from" in items.column_names:
        available = pc.less_equal(items.column("available_from"), span + 1).fill_null(False)
        parts.append(items.column("item_id").filter(available))
    ids = _union(parts)

    old, given, priced = _Lookup(before, ids), _Lookup(items, ids), _Lookup(_last_prices(events), ids)
    columns = {
        "item_id": ids,
        **_merged(old, given, skip=("price", "price_before", "first_span", "announced", "available_from")),
    }
    price_before = pc.coalesce(old.column("price", pa.float32()), given.column("price", pa.float32()))
    columns["price"] = pc.coalesce(priced.column("price", pa.float32()), price_before)
    columns["price_before"] = price_before
    latest = pc.if_else(pc.is_in(ids, seen), pa.scalar(span), pa.scalar(span + 1))
    arrived = pc.min_element_wise(given.column("available_from", pa.int64()), latest)
    columns["first_span"] = pc.coalesce(old.column("first_span", pa.int64()), arrived)
    ahead = pc.greater(columns["first_span"], span).cast(pa.int64())
    columns["announced"] = pc.coalesce(old.column("announced", pa.int64()), ahead)
    table = pa.table(columns)
    order = pc.sort_indices(table, [("first_span", "ascending"), ("item_id", "ascending")])
    return table.take(order).combine_chunks()


def as_of(catalogue: pa.Table, span: int) -> pa.Table:
    """The items that an earlier catalogue, that of the end of the span, held."""
    held_from = catalogue.column("first_span")
    if "announced" in catalogue.column_names:
        held_from = pc.subtract(held_from, catalogue.column("announced"))
    return catalogue.filter(pc.less_equal(held_from, span))


def last_spans(catalogue: pa.Table) -> np.ndarray:
    """int64 [items]: the last span on which each may be recommended, FOREVER where none is told."""
    if "available_until" not in catalogue.column_names:
        return np.full(catalogue.num_rows, FOREVER, np.int64)
    return np.asarray(pc.fill_null(catalogue.column("available_until"), FOREVER))


def withdrawn(catalogue: pa.Table, span: int) -> np.ndarray:
    """bool [items]: those whose `available_until` lies before the span."""
    return last_spans(catalogue) < span


def users_after(before: pa.Table, users: pa.Table, events: pa.Table, span: int) -> pa.Table:
    """Everybody seen or in the user table, by id; `first_span` is null until somebody's first event."""
    seen = events.column("user_id").unique()
    ids = _union([before.column("user_id").combine_chunks(), users.column("user_id").combine_chunks(), seen])
    old, given = _Lookup(before, ids), _Lookup(users, ids)
    columns = {"user_id": ids, **_merged(old, given, skip=("name", "first_span"))}
    today = pc.if_else(pc.is_in(ids, seen), span, None).cast(pa.int64())
    columns["first_span"] = pc.coalesce(old.column("first_span", pa.int64()), today)
    return pa.table(columns).sort_by("user_id").combine_chunks()


def item_days_after(before: pa.Table, positives: pa.Table, span: int) -> pa.Table:
    """The daily counts with one more day."""
    counts = positives.column("item_id").value_counts()
    day = pa.Table.from_arrays(
        [
            pa.array(np.full(len(counts), span)),
            counts.field("values"),
            counts.field("counts").cast(pa.int32()),
        ],
        schema=ITEM_DAYS,
    )
    return pa.concat_tables([before, day.sort_by("item_id")]).combine_chunks()


def trends(item_days: pa.Table, item_ids: pa.Array | pa.ChunkedArray, span: int) -> np.ndarray:
    """float32 [items, 4]: log1p of an item's events in the last 1, 3, 7, 28 days before the span."""
    days = item_days.column("span").to_numpy()  # ascending
    start, end = np.searchsorted(days, [span - max(TREND_DAYS), span])
    recent = item_days.slice(start, end - start)
    wanted = item_ids.combine_chunks() if isinstance(item_ids, pa.ChunkedArray) else item_ids
    place = pc.index_in(recent.column("item_id"), wanted)
    known = pc.is_valid(place).to_numpy()
    place = place.fill_null(0).to_numpy()[known]
    age = span - days[start:end][known]
    events = recent.column("events").to_numpy()[known]
    counts = [np.bincount(place, events * (age <= window), minlength=len(wanted)) for window in TREND_DAYS]
    return np.log1p(np.stack(counts, axis=1)).astype(np.float32)


def announced_from(catalogue: pa.Table) -> np.ndarray:
    """int64 [items]: the first span of those that were announced, LONG_AGO of the others.

    The first event of an item that nobody announced says little of when it came: it may be a rare one.
    """
    if "announced" not in catalogue.column_names:
        return np.full(catalogue.num_rows, LONG_AGO, np.int64)
    announced = catalogue.column("announced").to_numpy() > 0
    return np.where(announced, catalogue.column("first_span").to_numpy(), LONG_AGO)


def novelty(first: np.ndarray, span: int) -> np.ndarray:
    """float32 [items]: log(28 / (1 + age in days)), 0 once an item is 27 days old.

    first: what `announced_from` answers.
    """
    age = np.clip(span - first, 0, NOVEL_DAYS - 1)
    return np.log(NOVEL_DAYS / (1.0 + age)).astype(np.float32)


def _union(parts: list[pa.Array | pa.ChunkedArray]) -> pa.Array:
    chunks = [
        chunk for part in parts for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
    ]
    return pa.chunked_array(chunks, pa.string()).unique()


class _Lookup:
    """A table's columns laid along `ids` (its first is the id); null where it lacks an id or a column."""

    def __init__(self, table: pa.Table, ids: pa.Array):
        self.schema = table.schema
        self._table = table
        self._place = pc.index_in(ids, table.column(0).combine_chunks())

    def column(self, name: str, type_: pa.DataType) -> pa.Array:
        if name not in self._table.column_names:
            return pa.nulls(len(self._place), type_)
        found = self._table.column(name).combine_chunks().take(self._place)
        if found.type != type_:
            raise ValueError(
                f"column {name!r} was {type_} on earlier days and is {found.type} now:"
                " keep the type of a feature, or give the changed one a new name"
            )
        return found


def _merged(before: _Lookup, given: _Lookup, skip: tuple[str, ...]) -> dict[str, pa.Array]:
    """Columns of both tables: the given value where there is one, else the earlier one."""
    key = before.schema.names[0]
    types = {field.name: field.type for field in (*given.schema, *before.schema)}  # the earlier type counts
    return {
        name: pc.coalesce(given.column(name, type_), before.column(name, type_))
        for name, type_ in types.items()
        if name != key and name not in skip
    }


def _last_prices(events: pa.Table) -> pa.Table:
    """item_id, price (float32): the last price of each item by (timestamp, event_id)."""
    priced = events.filter(pc.is_valid(events.column("price"))).select(
        ["item_id", "price", "timestamp", "event_id"]
    )
    newest_first = priced.sort_by([("timestamp", "descending"), ("event_id", "descending")])
    ids = newest_first.column("item_id").combine_chunks()
    first_place = pc.index_in(ids.unique(), ids)
    return pa.table(
        {
            "item_id": ids.unique(),
            "price": newest_first.column("price").combine_chunks().take(first_place).cast(pa.float32()),
        }
    )
