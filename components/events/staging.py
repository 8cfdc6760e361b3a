"""Day files as rows: where each stands, its values as they were found, as they were read, and its fault."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from components.events import sql
from components.events.csv_text import broken_in_reading, by_line, has_rows_of_many_lines
from components.events.files import open_source
from components.events.source import Source
from components.events.store import RAW_COLUMNS
from schemas.events import REQUIRED_COLUMNS

SOURCE_FILE, SOURCE_ROW, SOURCE_FIELD, SOURCE_REASON = (
    "source_file",
    "source_row",
    "source_field",
    "source_reason",
)
"""Columns of a day's file of rows that the importer put into quarantine: they stay there."""


def stage(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], day: str, scratch: Path, table: str = "rows"
) -> None:
    """Makes the temporary table `rows` of all rows of the files of one day.

    place (the file's number), file, row, the raw texts, time, money, raw, fault STRUCT(field, reason).
    `day` is the SQL date that times must lie on, or NULL. `scratch` takes copies of packed files.
    """
    fault = sql.complaint("user_id", "item_id", "timestamp", "time", "behavior", "price", "money", day)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({_LAYOUT})")
    for place, path in enumerate(files):
        source = open_source(connection, path, scratch, REQUIRED_COLUMNS)
        broken_in_reading(connection)
        _insert(connection, table, place, source, fault)
        broken = broken_in_reading(connection)
        (found,) = sql.single(connection, f"SELECT count(*) FROM {table} WHERE place = {place}")
        if has_rows_of_many_lines(source, found + len(broken)):
            aside = -1 - place
            _insert(connection, table, aside, by_line(connection, source, scratch), fault)
            broken_lines = broken_in_reading(connection)
            better = _usable(connection, table, aside) > _usable(connection, table, place)
            connection.execute(f"DELETE FROM {table} WHERE place = ?", [place if better else aside])
            connection.execute(f"UPDATE {table} SET place = ? WHERE place = ?", [place, aside])
            broken = broken_lines if better else broken
        if broken:
            connection.executemany(
                f"INSERT INTO {table} (place, file, row, raw, fault)"
                " VALUES (?, ?, ?, ?, {'field': 'row', 'reason': ?})",
                [(place, path.name, row, raw, reason) for row, reason, raw in broken],
            )


_LAYOUT = ", ".join(
    [
        "place BIGINT, file VARCHAR, row BIGINT",
        *(f"{name} VARCHAR" for name in RAW_COLUMNS),
        "time TIMESTAMP, money DOUBLE, raw VARCHAR, fault STRUCT(field VARCHAR, reason VARCHAR)",
    ]
)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, place: int, source: Source, fault: str
) -> None:
    for column in REQUIRED_COLUMNS:
        if column not in source.columns:
            raise ValueError(
                f"{source.path} has no column {column}: it needs {', '.join(REQUIRED_COLUMNS)},"
                f" and has {', '.join(source.columns)}"
            )
        source.column(column)

    def raw(name: str, default: str = "CAST(NULL AS VARCHAR)") -> str:
        found = source.columns.get(name)
        return sql.text(found.sql, found.type) if found else default

    stamp = source.columns["timestamp"]
    texts = ", ".join(f"{raw(name)} AS {name}" for name in RAW_COLUMNS)
    query = (
        f"SELECT {place} AS place, {raw(SOURCE_FILE, sql.literal(source.path.name))} AS file,"
        f" coalesce(TRY_CAST({raw(SOURCE_ROW)} AS BIGINT), row_) AS row, {texts},"
        f" {sql.timestamp(stamp.sql, stamp.type)} AS time, TRY_CAST({raw('price')} AS DOUBLE) AS money,"
        f" {source.flaw} AS flaw, CASE WHEN {source.flaw} IS NOT NULL THEN {source.raw} END AS raw,"
        f" {raw(SOURCE_FIELD)} AS given_field, {raw(SOURCE_REASON)} AS given_reason"
        f" FROM {source.relation} AS source"
    )
    connection.execute(
        f"INSERT INTO {table} SELECT place, file, row, {', '.join(RAW_COLUMNS)}, time, money, raw,"
        " CASE WHEN flaw IS NOT NULL THEN {'field': 'row', 'reason': flaw}"
        " WHEN given_reason IS NOT NULL THEN {'field': given_field, 'reason': given_reason}"
        f" ELSE {fault} END FROM ({query})"
    )


def _usable(connection: duckdb.DuckDBPyConnection, table: str, place: int) -> int:
    query = f"SELECT count(*) FROM {table} WHERE fault IS NULL AND place = {place}"
    return sql.single(connection, query)[0]
