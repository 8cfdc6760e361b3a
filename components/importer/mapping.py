"""Which column of a log is what, and the query that reads a file so."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.events import sql
from components.events.source import Column, FileFormat, Source
from schemas.events import BEHAVIORS, CART, CLICK, EARLIEST, FAVOURITE, PURCHASE

SKIP = "skip"
"""What a behaviour may be mapped to besides the known ones: its rows are left out, and counted."""

ALIASES = {
    **{name: name for name in BEHAVIORS},
    **dict.fromkeys(("view", "pageview", "pv", "detail", "product_view"), CLICK),
    **dict.fromkeys(("addtocart", "add_to_cart", "basket"), CART),
    **dict.fromkeys(("favorite", "fav", "like", "wishlist", "add_to_wishlist"), FAVOURITE),
    **dict.fromkeys(("buy", "order", "transaction", "sale"), PURCHASE),
}
"""Words for behaviours that logs commonly use, in lower case."""

CLOCK_TOLERANCE = dt.timedelta(days=1)
"""How far ahead of now a time may lie: clocks differ, and local days begin earlier in the east."""


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a log is what. Either `behavior` (a column) or `as_behavior` (one for all rows).

    `event_id` and `price` are taken from columns of these very names where they are not given.
    """

    user: str
    item: str
    timestamp: str
    behavior: str | None = None
    as_behavior: str | None = None
    event_id: str | None = None
    price: str | None = None
    quantity: str | None = None
    """Rows of no positive quantity are returns: they are left out, and counted."""
    behavior_map: Mapping[str, str] = field(default_factory=dict)
    """Further words for behaviours; `skip` leaves rows out."""
    time_zone: str = "UTC"
    """Decides what a day is: times are kept as what the clock on the wall showed there."""
    times_in: str | None = None
    """The zone of times that are written without one; by default `time_zone`."""
    time_format: str | None = None
    """How times are written (strptime), where ISO 8601, dates and epochs do not fit."""
    skip_guests: bool = False
    """Rows without a user are left out, and counted, instead of being put into quarantine."""

    def __post_init__(self) -> None:
        if (self.behavior is None) == (self.as_behavior is None):
            raise ValueError("name either a behaviour column or one behaviour for all rows")
        for name in [*([self.as_behavior] if self.as_behavior else []), *self.behavior_map.values()]:
            if name not in BEHAVIORS and not (name == SKIP and self.as_behavior is None):
                raise ValueError(f"{name!r} is no behaviour: take one of {', '.join(BEHAVIORS)}")

    @property
    def wanted(self) -> list[str]:
        """The columns that are asked for by name."""
        named = (
            self.user,
            self.item,
            self.timestamp,
            self.behavior,
            self.event_id,
            self.price,
            self.quantity,
        )
        return [name for name in named if name is not None]


def from_settings(settings: Mapping[str, Any]) -> tuple[ColumnMapping, FileFormat]:
    """A mapping and a file format of one flat set of settings, as flags and YAML files have them."""
    mapping_names = {one.name for one in dataclasses.fields(ColumnMapping)}
    format_names = {one.name for one in dataclasses.fields(FileFormat)}
    for name in settings:
        if name not in mapping_names | format_names:
            allowed = ", ".join(sorted(mapping_names | format_names))
            raise ValueError(f"{name!r} is no part of a mapping: take {allowed}")
    missing = [name for name in ("user", "item", "timestamp") if not settings.get(name)]
    if missing:
        raise ValueError(f"the mapping does not say which column is {missing[0]}: name it")
    chosen = {name: value for name, value in settings.items() if value is not None}
    if isinstance(chosen.get("columns"), list):
        chosen["columns"] = tuple(str(name) for name in chosen["columns"])
    if "behavior_map" in chosen:
        chosen["behavior_map"] = {str(word): str(name) for word, name in chosen["behavior_map"].items()}
    return (
        ColumnMapping(**{name: value for name, value in chosen.items() if name in mapping_names}),
        FileFormat(**{name: value for name, value in chosen.items() if name in format_names}),
    )


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a YAML mapping file; ValueError in a sentence where it is none."""
    try:
        settings = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is no mapping: write lines such as `user: customer_id`")
    return {str(name): value for name, value in settings.items()}


def staged(source: Source, mapping: ColumnMapping, now: dt.datetime, decimal: str = ".") -> str:
    """A query for every row: row, the raw texts, time, money, skip (why it is left out), fault and raw.

    It must run with the session's time zone set to that of times without one. `now` is in UTC, `decimal`
    the sign in numbers that are text.
    """

    def column(name: str | None, default: str = "") -> Column:
        """The column called `name`, else that called `default`, else NULL."""
        chosen = name or (default if default in source.columns else None)
        return source.column(chosen) if chosen else Column("CAST(NULL AS VARCHAR)")

    def raw(name: str | None, default: str = "") -> str:
        found = column(name, default)
        return sql.text(found.sql, found.type)

    def number(name: str | None, default: str = "") -> str:
        is_text = column(name, default).type == "VARCHAR"
        return sql.number(raw(name, default), decimal if is_text else ".")

    stamp = source.column(mapping.timestamp)
    time = sql.timestamp(
        stamp.sql, stamp.type, mapping.time_zone, mapping.times_in or mapping.time_zone, mapping.time_format
    )
    future = sql.literal((now + CLOCK_TOLERANCE).strftime("%Y-%m-%d %H:%M:%S"))
    behavior = _behavior(mapping, raw(mapping.behavior))
    read = (
        f"SELECT row_ AS row, {raw(mapping.user)} AS user_id, {raw(mapping.item)} AS item_id,"
        f" {raw(mapping.timestamp)} AS timestamp, {behavior} AS behavior, {raw(mapping.behavior)} AS word,"
        f" {raw(mapping.event_id, 'event_id')} AS event_id, {raw(mapping.price, 'price')} AS price,"
        f" {time} AS time, {number(mapping.price, 'price')} AS money,"
        f" {number(mapping.quantity)} AS quantity,"
        f" {source.flaw} AS flaw, CASE WHEN {source.flaw} IS NOT NULL THEN {source.raw} END AS raw"
        f" FROM {source.relation} AS source"
    )
    guests = "WHEN user_id IS NULL THEN 'no user'" if mapping.skip_guests else ""
    fault = sql.complaint("user_id", "item_id", "timestamp", "time", "behavior", "price", "money", "NULL")
    return (
        "SELECT *, CASE WHEN flaw IS NOT NULL THEN NULL"
        f" WHEN behavior = '{SKIP}' THEN 'behaviour ' || word"
        f" WHEN quantity <= 0 THEN 'a return' {guests} END AS skip,"
        " CASE WHEN flaw IS NOT NULL THEN {'field': 'row', 'reason': flaw}"
        f" WHEN time > TIMESTAMP {future} THEN {{'field': 'timestamp', 'reason': 'in the future'}}"
        f" WHEN time < TIMESTAMP '{EARLIEST}'"
        f" THEN {{'field': 'timestamp', 'reason': 'before {EARLIEST.year}'}}"
        f" ELSE {fault} END AS fault FROM ({read})"
    )


def _behavior(mapping: ColumnMapping, word: str) -> str:
    if mapping.as_behavior:
        return sql.literal(mapping.as_behavior)
    words = ALIASES | {one.lower(): name for one, name in mapping.behavior_map.items()}
    whens = " ".join(f"WHEN {sql.literal(one)} THEN {sql.literal(name)}" for one, name in words.items())
    return f"CASE lower({word}) {whens} ELSE {word} END"
