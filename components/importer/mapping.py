"""Which column of a log is what, and the query that reads a file so."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from components.events import sql
from schemas.events import BEHAVIORS, CART, CLICK, FAVOURITE, PURCHASE

ALIASES = {
    **{name: name for name in BEHAVIORS},
    **dict.fromkeys(("view", "pageview", "pv", "detail", "product_view"), CLICK),
    **dict.fromkeys(("addtocart", "add_to_cart", "basket"), CART),
    **dict.fromkeys(("favorite", "fav", "like", "wishlist", "add_to_wishlist"), FAVOURITE),
    **dict.fromkeys(("buy", "order", "transaction", "sale"), PURCHASE),
}
"""Words for behaviours that logs commonly use, in lower case."""


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

    def __post_init__(self) -> None:
        if (self.behavior is None) == (self.as_behavior is None):
            raise ValueError("name either a behaviour column or one behaviour for all rows")
        if self.as_behavior is not None and self.as_behavior not in BEHAVIORS:
            raise ValueError(f"{self.as_behavior!r} is no behaviour: take one of {', '.join(BEHAVIORS)}")


def open_file(
    connection: duckdb.DuckDBPyConnection, source: Path, texts: bool = True
) -> tuple[str, dict[str, str]]:
    """A DuckDB reader of the file, and its columns' types; CSV columns all as text if `texts`."""
    if not source.is_file():
        raise FileNotFoundError(f"{source} does not exist: name a CSV or Parquet file")
    name = sql.literal(str(source))
    if source.suffix == ".parquet":
        reader = f"read_parquet({name})"
    else:
        reader = f"read_csv({name}, header=true, {'all_varchar=true' if texts else 'sample_size=-1'})"
    try:
        found = connection.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE FROM {reader})"
        ).fetchall()
    except duckdb.Error as error:
        raise ValueError(f"{source} cannot be read as CSV or Parquet: {sentence(error)}") from error
    return reader, dict(found)


def staged(source: Path, reader: str, types: dict[str, str], mapping: ColumnMapping) -> str:
    """A query for file, row, the raw texts, time, money, day and fault of every row."""

    def column(name: str | None, default: str = "") -> str:
        """The column called `name`, else that called `default`, else NULL."""
        if name is not None and name not in types:
            raise ValueError(f"{source} has no column {name!r}: it has {', '.join(types)}")
        chosen = name or (default if default in types else None)
        return sql.quoted(chosen) if chosen else "CAST(NULL AS VARCHAR)"

    def type_of(name: str | None, default: str = "") -> str:
        return types.get(name or default, "VARCHAR")

    def raw(name: str | None, default: str = "") -> str:
        return sql.text(column(name, default), type_of(name, default))

    if mapping.as_behavior:
        behavior = sql.literal(mapping.as_behavior)
    else:
        words = raw(mapping.behavior)
        whens = " ".join(
            f"WHEN {sql.literal(word)} THEN {sql.literal(name)}" for word, name in ALIASES.items()
        )
        behavior = f"CASE lower({words}) {whens} ELSE {words} END"
    time = sql.timestamp(column(mapping.timestamp), type_of(mapping.timestamp))
    money = sql.price(column(mapping.price, "price"), type_of(mapping.price, "price"))
    read = (
        f"SELECT {sql.literal(source.name)} AS file, row_number() OVER () AS row,"
        f" {raw(mapping.user)} AS user_id, {raw(mapping.item)} AS item_id,"
        f" {raw(mapping.timestamp)} AS timestamp, {behavior} AS behavior,"
        f" {raw(mapping.event_id, 'event_id')} AS event_id,"
        f" {raw(mapping.price, 'price')} AS price, {time} AS time, {money} AS money FROM {reader} AS source"
    )
    fault = sql.complaint("user_id", "item_id", "timestamp", "time", "behavior", "price", "money", "NULL")
    return f"SELECT *, CAST(time AS DATE) AS day, {fault} AS fault FROM ({read})"


def sentence(error: Exception) -> str:
    """The first line of a library's error."""
    return str(error).strip().splitlines()[0].rstrip(".")
