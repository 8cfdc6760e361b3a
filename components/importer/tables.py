"""Any CSV or Parquet event log, item table or user table → Everlearn's layout; DuckDB does the work."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

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
from components.importer.mapping import ColumnMapping, open_file, sentence, staged
from schemas.events import ITEM_KEY, USER_KEY
from schemas.home import Home


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
        reader, types = open_file(connection, source)
        query = staged(source, reader, types, mapping)
        try:
            connection.execute(
                f"CREATE TEMP TABLE log AS {query}"
                " ORDER BY day, time, user_id, item_id, behavior, event_id, price"
            )
        except duckdb.Error as error:
            raise ValueError(f"{source} cannot be read: {sentence(error)}") from error
        faults = _counts(connection, "fault.field || ' ' || fault.reason", "fault IS NOT NULL")
        if not sql.single(connection, "SELECT count(*) FILTER (fault IS NULL) FROM log")[0]:
            told = ", ".join(f"{reason}: {count}" for reason, count in faults.items()) or "it has none"
            raise ValueError(f"no row of {source} can be used ({told}): check which column is named as what")
        return _write(connection, source, home, faults, on_day)


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


def _write(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    home: Home,
    faults: Mapping[str, int],
    on_day: Callable[[dt.date, int, int], None],
) -> ImportSummary:
    days = [
        day
        for (day,) in connection.execute(
            "SELECT DISTINCT day FROM log WHERE day IS NOT NULL ORDER BY 1"
        ).fetchall()
    ]
    has_ids, has_prices, has_odd_prices = sql.single(
        connection,
        "SELECT count(event_id) > 0, count(price) > 0,"
        " count(*) FILTER (price IS NOT NULL AND money IS NULL) > 0 FROM log",
    )
    columns = ["user_id", "item_id", "CAST(time AS TIMESTAMPTZ) AS timestamp", "behavior"]
    columns += ["event_id"] if has_ids else []
    if has_prices:
        # Unreadable ones stay as text, for quarantine to name.
        columns.append(
            "coalesce(CAST(money AS VARCHAR), price) AS price" if has_odd_prices else "money AS price"
        )
    written = 0
    for number, day in enumerate(days, 1):
        events = connection.execute(
            f"SELECT {', '.join(columns)} FROM log WHERE day = ?", [day]
        ).fetch_arrow_table()
        written += write_day(home.events, day.isoformat(), events) is not None
        on_day(day, number, len(days))
    lost = connection.execute(
        f"SELECT file, row, fault.field AS field, fault.reason AS reason, {', '.join(RAW_COLUMNS)}"
        " FROM log WHERE day IS NULL ORDER BY row"
    ).fetch_arrow_table()
    if lost.num_rows:
        write_table(home.events.parent / "quarantine" / f"{source.stem}.parquet", lost.cast(QUARANTINE))
    users, items, events = sql.single(
        connection,
        "SELECT count(DISTINCT user_id), count(DISTINCT item_id), count(*) FROM log WHERE fault IS NULL",
    )
    return ImportSummary(
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        days=len(days),
        days_written=written,
        users=users,
        items=items,
        events=events,
        behaviors=_counts(connection, "behavior", "fault IS NULL"),
        quarantined=faults,
    )


def _counts(connection: duckdb.DuckDBPyConnection, what: str, where: str) -> dict[str, int]:
    return dict(
        connection.execute(f"SELECT {what}, count(*) FROM log WHERE {where} GROUP BY 1 ORDER BY 1").fetchall()
    )


def _id_table(source: Path, key: str | None, id_name: str) -> pa.Table:
    """The file's rows with unique ids: the id as text and first, further columns with the types they have."""
    with sql.connect() as connection:
        _, types = open_file(connection, source)
        chosen = key or next(iter(types))
        if chosen not in types:
            raise ValueError(f"{source} has no column {chosen!r}: it has {', '.join(types)}")
        if source.suffix == ".parquet":
            reader = f"read_parquet({sql.literal(str(source))})"
        else:
            as_text = f"types={{{sql.literal(chosen)}: 'VARCHAR'}}"
            reader = f"read_csv({sql.literal(str(source))}, header=true, sample_size=-1, {as_text})"
        others = ", ".join(
            f"{sql.quoted(name)} AS {sql.quoted(_plain(name))}" for name in types if name != chosen
        )
        id_ = sql.text(sql.quoted(chosen), types[chosen])
        query = (
            f"SELECT * EXCLUDE (row_) FROM (SELECT row_number() OVER () AS row_, {id_} AS {id_name}"
            f"{', ' if others else ''}{others} FROM {reader} AS source) WHERE {id_name} IS NOT NULL"
            f" QUALIFY row_number() OVER (PARTITION BY {id_name} ORDER BY row_) = 1 ORDER BY {id_name}"
        )
        try:
            return connection.execute(query).fetch_arrow_table()
        except duckdb.Error as error:
            raise ValueError(f"{source} cannot be read: {sentence(error)}") from error


def _plain(name: str) -> str:
    """A column name in lower case with underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "column"
