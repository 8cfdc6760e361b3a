"""The event contract: columns, types and behaviours of what a day folder may hold.

A day is a folder `events/YYYY-MM-DD/ver-N/` of Parquet or CSV files; the highest version counts.
Beside the days lie two optional tables, `items` and `users`: one row an id, any further column is
a feature (text columns are categories, number columns are quantities) and any value may be missing.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

PURCHASE, CART, FAVOURITE, CLICK = "purchase", "cart", "favourite", "click"
BEHAVIORS = (PURCHASE, CART, FAVOURITE, CLICK)

EARLIEST = dt.date(1990, 1, 1)
"""Times before it are zeros and broken numbers that were taken for epochs."""
LONGEST_ID = 1024
"""Of an id, in bytes of UTF-8."""

TIMESTAMP = pa.timestamp("us", tz="UTC")

EVENTS = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("timestamp", TIMESTAMP, nullable=False),
        pa.field("behavior", pa.string(), nullable=False),
        pa.field("price", pa.float64()),
    ]
)
"""One typed, unique event. `price` (money a unit, as paid or shown) is optional in the source."""

REQUIRED_COLUMNS = ("user_id", "item_id", "timestamp", "behavior")
OPTIONAL_COLUMNS = ("event_id", "price")

ITEM_KEY, USER_KEY = "item_id", "user_id"
ITEM_RESERVED = ("item_id", "name", "available_from", "available_until")
"""Columns of the item table that are no features; `price` is one, and events keep it up to date.

`available_until` is the last day on which an item may be recommended.
"""
USER_RESERVED = ("user_id", "name")
