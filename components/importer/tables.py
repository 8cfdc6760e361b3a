"""Any CSV or Parquet event log, item table or user table → Everlearn's layout; DuckDB does the work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from components.events import sql
from components.events.store import QUARANTINE, RAW_COLUMNS
from components.features.tables import item_table, user_table
from components.importer.days import write_day, write_table
from schemas.events import BEHAVIORS, CART, CLICK, FAVOURITE, ITEM_KEY, PURCHASE, USER_KEY
from schemas.home import Home

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


@dataclass(frozen=True)
class ImportSummary:
    """What an import found, and what it changed."""

    first_day: dt.date | None
    last_day: dt.date | None
    days: int
    days_written: int
    users: int
    items: int
    events: int
    behaviors: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Rows that cannot be used, by reason. Those with a day are still in its folder, for quality to see."""


def import_events(
    source: Path,
    mapping: ColumnMapping,
    home: Home,
    on_day: Callable[[dt.date, int, int], None] = lambda day, number, days: None,
) -> ImportSummary:
    """Writes the log's days into `home.events`; a day whose content is already there stays as it is.

    A day that differs gets a new version, which replaces the old one. Rows without a readable time
    have no day: they go to `quarantine/<source name>.parquet` beside the day folders. `on_day` is
    told of each day for progress. ValueError where the file or a column cannot be read.
    """
    with sql.connect() as connection:
        reader, types = _open(connection, source)
        query = _staged(source, reader, types, mapping)
        try:
            connection.execute(f"CREATE TEMP TABLE log AS {query} ORDER BY day, time, user_id, item_id, behavior, event_id, price")
        except duckdb.Error as error:
            raise ValueError(f"{source} cannot be read: {_sentence(error)}") from error
        return _write(connection, source, home, on_day)


def import_items(source: Path, home: Home, key: str | None = None) -> int:
    """Writes `home.items` from a CSV or Parquet file; `key` names its id column, by default the first.

    A column `title` becomes `name` where there is none. Of rows with the same id the first counts.
    Returns the number of items.
    """
    table = _id_table(source, key, ITEM_KEY)
    if "name" not in table.column_names and "title" in table.column_names:
        table = table.rename_columns(["name" if name == "title" else name for name in table.column_names])
    item_table(table)  # says now what the features step would not take
    write_table(home.items, table)
    return table.num_rows


def import_users(source: Path, home: Home, key: str | None = None) -> int:
    """Writes `home.users`, as `import_items` does for items."""
    table = _id_table(source, key, USER_KEY)
    user_table(table)
    write_table(home.users, table)
    return table.num_rows


def _open(connection: duckdb.DuckDBPyConnection, source: Path, texts: bool = True) -> tuple[str, dict[str, str]]:
    """A DuckDB reader of the file, and its columns' types; CSV columns all as text if `texts`."""
    if not source.is_file():
        raise FileNotFoundError(f"{source} does not exist: name a CSV or Parquet file")
    name = sql.literal(str(source))
    if source.suffix == ".parquet":
        reader = f"read_parquet({name})"
    else:
        reader = f"read_csv({name}, header=true, {'all_varchar=true' if texts else 'sample_size=-1'})"
    try:
        found = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {reader})").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise ValueError(f"{source} cannot be read as CSV or Parquet: {_sentence(error)}") from error
    return reader, dict(found)


def _staged(source: Path, reader: str, types: dict[str, str], mapping: ColumnMapping) -> str:
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
        whens = " ".join(f"WHEN {sql.literal(word)} THEN {sql.literal(name)}" for word, name in ALIASES.items())
        behavior = f"CASE lower({words}) {whens} ELSE {words} END"
    time = sql.timestamp(column(mapping.timestamp), type_of(mapping.timestamp))
    money = sql.price(column(mapping.price, "price"), type_of(mapping.price, "price"))
    read = (
        f"SELECT {sql.literal(source.name)} AS file, row_number() OVER () AS row,"
        f" {raw(mapping.user)} AS user_id, {raw(mapping.item)} AS item_id, {raw(mapping.timestamp)} AS timestamp,"
        f" {behavior} AS behavior, {raw(mapping.event_id, 'event_id')} AS event_id,"
        f" {raw(mapping.price, 'price')} AS price, {time} AS time, {money} AS money FROM {reader} AS source"
    )
    fault = sql.complaint("user_id", "item_id", "timestamp", "time", "behavior", "price", "money", "NULL")
    return f"SELECT *, CAST(time AS DATE) AS day, {fault} AS fault FROM ({read})"


def _write(
    connection: duckdb.DuckDBPyConnection, source: Path, home: Home, on_day: Callable[[dt.date, int, int], None]
) -> ImportSummary:
    days = [day for (day,) in connection.execute("SELECT DISTINCT day FROM log WHERE day IS NOT NULL ORDER BY 1").fetchall()]
    has_ids, has_prices = connection.execute("SELECT count(event_id) > 0, count(price) > 0 FROM log").fetchone()  # type: ignore[misc]
    columns = ["user_id", "item_id", "CAST(time AS TIMESTAMPTZ) AS timestamp", "behavior"]
    columns += ["event_id"] if has_ids else []
    columns += ["coalesce(CAST(money AS VARCHAR), price) AS price" if _unreadable_prices(connection) else "money AS price"] if has_prices else []
    written = 0
    for number, day in enumerate(days, 1):
        events = connection.execute(f"SELECT {', '.join(columns)} FROM log WHERE day = ?", [day]).fetch_arrow_table()  # noqa: S608
        written += write_day(home.events, day.isoformat(), events) is not None
        on_day(day, number, len(days))
    lost = connection.execute(
        f"SELECT file, row, fault.field AS field, fault.reason AS reason, {', '.join(RAW_COLUMNS)}"  # noqa: S608
        " FROM log WHERE day IS NULL ORDER BY row"
    ).fetch_arrow_table()
    if lost.num_rows:
        write_table(home.events.parent / "quarantine" / f"{source.stem}.parquet", lost.cast(QUARANTINE))
    users, items, events = connection.execute(
        "SELECT count(DISTINCT user_id), count(DISTINCT item_id), count(*) FROM log WHERE fault IS NULL"
    ).fetchone()  # type: ignore[misc]
    return ImportSummary(
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        days=len(days),
        days_written=written,
        users=users,
        items=items,
        events=events,
        behaviors=_counts(connection, "behavior", "fault IS NULL"),
        quarantined=_counts(connection, "fault.field || ' ' || fault.reason", "fault IS NOT NULL"),
    )


def _unreadable_prices(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(connection.execute("SELECT count(*) > 0 FROM log WHERE price IS NOT NULL AND money IS NULL").fetchone()[0])  # type: ignore[index]


def _counts(connection: duckdb.DuckDBPyConnection, what: str, where: str) -> dict[str, int]:
    return dict(connection.execute(f"SELECT {what}, count(*) FROM log WHERE {where} GROUP BY 1 ORDER BY 1").fetchall())  # noqa: S608


def _id_table(source: Path, key: str | None, id_name: str) -> pa.Table:
    """The file's rows with unique ids: the id as text and first, further columns with the types they have."""
    with sql.connect() as connection:
        _, types = _open(connection, source)
        chosen = key or next(iter(types))
        if chosen not in types:
            raise ValueError(f"{source} has no column {chosen!r}: it has {', '.join(types)}")
        if source.suffix == ".parquet":
            reader = f"read_parquet({sql.literal(str(source))})"
        else:
            as_text = f"types={{{sql.literal(chosen)}: 'VARCHAR'}}"
            reader = f"read_csv({sql.literal(str(source))}, header=true, sample_size=-1, {as_text})"
        others = ", ".join(f"{sql.quoted(name)} AS {sql.quoted(_plain(name))}" for name in types if name != chosen)
        id_ = sql.text(sql.quoted(chosen), types[chosen])
        query = (
            f"SELECT * EXCLUDE (row_) FROM (SELECT row_number() OVER () AS row_, {id_} AS {id_name}"  # noqa: S608
            f"{', ' if others else ''}{others} FROM {reader} AS source) WHERE {id_name} IS NOT NULL"
            f" QUALIFY row_number() OVER (PARTITION BY {id_name} ORDER BY row_) = 1 ORDER BY {id_name}"
        )
        try:
            return connection.execute(query).fetch_arrow_table()
        except duckdb.Error as error:
            raise ValueError(f"{source} cannot be read: {_sentence(error)}") from error


def _plain(name: str) -> str:
    """A column name in lower case with underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "column"


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
