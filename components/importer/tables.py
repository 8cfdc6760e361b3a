"""Any item table or user table → Everlearn's layout; DuckDB does the work."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from components.events import sql
from components.events.csv_text import broken_in_reading, by_line, has_rows_of_many_lines
from components.events.files import open_source
from components.events.source import AS_FOUND, Column, FileFormat, Source, sentence
from components.features.tables import item_table, user_table
from components.importer.days import write_table
from schemas.events import ITEM_KEY, USER_KEY
from schemas.home import Home


@dataclass(frozen=True)
class TableSummary:
    """What an import of an item or user table found."""

    rows: int
    left_out: int
    """Rows that are broken, have no id or repeat an earlier one's."""
    emptied: int
    """Prices that are negative or no number, and availability dates that are none: they count as missing."""


def import_items(
    source: Path, home: Home, key: str | None = None, written: FileFormat = AS_FOUND
) -> TableSummary:
    """Writes `home.items` from a CSV, Parquet or JSON lines file; `key` names its id column, by default the
    first.

    A column `title` becomes `name` where there is none. Of rows with the same id the first counts.
    """
    table, left_out, emptied = _id_table(source, key, ITEM_KEY, written)
    if "name" not in table.column_names and "title" in table.column_names:
        table = table.rename_columns(["name" if name == "title" else name for name in table.column_names])
    item_table(table)  # says now what the features step would not take
    write_table(home.items, table)
    return TableSummary(table.num_rows, left_out, emptied)


def import_users(
    source: Path, home: Home, key: str | None = None, written: FileFormat = AS_FOUND
) -> TableSummary:
    """Writes `home.users`, as `import_items` does for items."""
    table, left_out, _ = _id_table(source, key, USER_KEY, written)
    user_table(table)
    write_table(home.users, table)
    return TableSummary(table.num_rows, left_out, 0)


def _id_table(source: Path, key: str | None, id_name: str, written: FileFormat) -> tuple[pa.Table, int, int]:
    """The file's rows with unique ids, how many rows were left out, and how many values were emptied.

    The id is text and comes first. Of text files a column is numbers, or dates, where all its values are:
    a number with leading zeros is text.
    """
    with tempfile.TemporaryDirectory() as scratch, sql.connect() as connection:
        opened = open_source(connection, source, Path(scratch), [key] if key else [], written)
        chosen = key or next(iter(opened.columns))
        id_ = sql.text(opened.column(chosen).sql, opened.column(chosen).type)
        others = _others(opened, chosen, id_name)
        cleaned = [name for name in _CLEANED if name in others and id_name == ITEM_KEY]
        try:
            values = "".join(f"{one.sql} AS {sql.quoted(name)}, " for name, one in others.items())
            rows = _read(connection, opened, f"{id_} AS {id_name}, {values}", Path(scratch))
            if opened.text is not None:
                sql.without_fractions(connection, "found", id_name)
            typed = {
                name: _cleaned(name, one.type, written.decimal)
                if name in cleaned
                else _typed(connection, name, one.type, written.decimal)
                for name, one in others.items()
            }
            columns = "".join(f", {one} AS {sql.quoted(name)}" for name, one in typed.items())
            table = connection.execute(
                f"SELECT {id_name}{columns} FROM found WHERE flaw_ IS NULL AND {id_name} IS NOT NULL"
                f" QUALIFY row_number() OVER (PARTITION BY {id_name} ORDER BY row_) = 1 ORDER BY {id_name}"
            ).fetch_arrow_table()
            emptied = sum(
                sql.single(connection, f"SELECT count({name}) - count({typed[name]}) FROM found")[0]
                for name in cleaned
            )
        except duckdb.Error as error:
            raise ValueError(f"{source} cannot be read: {sentence(error)}") from error
    if not table.num_rows:
        raise ValueError(f"no row of {source} has an id in {chosen!r}: name its id column")
    return table, rows - table.num_rows, emptied


def _others(opened: Source, key: str, id_name: str) -> dict[str, Column]:
    """The columns beside the id by their plain names; ValueError where two have one."""
    named: dict[str, str] = {id_name: key}
    for name in opened.columns:
        if name != key and (other := named.setdefault(_plain(name), name)) != name:
            raise ValueError(
                f"columns {other!r} and {name!r} of {opened.path} would both be {_plain(name)!r}: rename one"
            )
    return {_plain(name): one for name, one in opened.columns.items() if name != key}


def _read(connection: duckdb.DuckDBPyConnection, opened: Source, values: str, scratch: Path) -> int:
    """Makes the table `found` of row_, the values and flaw_; returns how many rows there were."""

    def reading(table: str, source: Source) -> tuple[int, int]:
        connection.execute(
            f"CREATE TABLE {table} AS SELECT row_, {values} {source.flaw} AS flaw_"
            f" FROM {source.relation} AS source"
        )
        rows, sound = sql.single(connection, f"SELECT count(*), count(*) FILTER (flaw_ IS NULL) FROM {table}")
        return rows + len(broken_in_reading(connection)), sound

    rows, sound = reading("found", opened)
    if has_rows_of_many_lines(opened, rows):
        rows_of_lines, sound_lines = reading("lines", by_line(connection, opened, scratch))
        if sound_lines > sound:
            connection.execute("CREATE OR REPLACE TABLE found AS FROM lines")
            return rows_of_lines
    return rows


_CLEANED = ("price", "available_from", "available_until")


def _cleaned(name: str, type_: str, decimal: str) -> str:
    """Prices that are none, and dates that are none, as missing."""
    if name != "price":
        return f"CAST({sql.timestamp(name, type_)} AS DATE)"
    number = sql.number(sql.text(name, type_), decimal if type_ == "VARCHAR" else ".")
    return f"CASE WHEN isfinite({number}) AND {number} >= 0 THEN {number} END"


def _types(word: str, decimal: str) -> list[tuple[str, str]]:
    """What a text column may be: the value, and whether a text is one."""
    number = sql.number(word, decimal)
    return [
        (f"TRY_CAST({word} AS BIGINT)", f"regexp_full_match({word}, '[+-]?(0|[1-9][0-9]{{0,17}})')"),
        (number, f"{number} IS NOT NULL AND NOT regexp_matches({word}, '^[+-]?0[0-9]')"),
        (
            f"TRY_CAST({word} AS TIMESTAMP)",
            f"regexp_matches({word}, '^[0-9]{{4}}-[0-9]') AND TRY_CAST({word} AS TIMESTAMP) IS NOT NULL",
        ),
    ]


def _typed(connection: duckdb.DuckDBPyConnection, name: str, type_: str, decimal: str) -> str:
    """The column of `found`, as the first type that every one of its texts has."""
    column = sql.quoted(name)
    if type_ != "VARCHAR" or name in ("name", "title"):
        return column
    word = f"nullif(trim({column}), '')"
    for value, test in _types(word, decimal):
        fitting = f"bool_and({test}) FILTER ({word} IS NOT NULL AND flaw_ IS NULL)"
        if sql.single(connection, f"SELECT {fitting} FROM found")[0]:
            return value
    return column


def _plain(name: str) -> str:
    """A column name in lower case with underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "column"
