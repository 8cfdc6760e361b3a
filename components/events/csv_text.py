"""CSV of any delimiter as DuckDB reads it, row by row or, where a quote is never closed, line by line.

It is never guessed from its rows: the header and the names that are asked for decide the delimiter, every
value stays text, and a row of too few or too many values is kept as a broken row.
"""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import csv
import uuid
from collections.abc import Collection
from pathlib import Path

import duckdb

from components.events import sql
from components.events.source import Column, CsvText, FileFormat, Source

DELIMITERS = (",", ";", "\t", "|", "::")
NOTHING = "\x01"
"""Stands for "no value": an empty text must stay apart from a value that the row lacks."""
LONGEST_ROW = 8_000_000


def open_csv(path: Path, plain: Path, wanted: Collection[str], written: FileFormat) -> Source:
    """`path` as it is called, `plain` its readable copy; ValueError where the header or delimiter is odd."""
    with plain.open(encoding="utf-8-sig", errors="replace", newline=None) as file:
        first = file.readline(LONGEST_ROW).rstrip("\n")
    candidates = [written.delimiter.replace("\\t", "\t")] if written.delimiter else list(DELIMITERS)

    def names(delimiter: str) -> list[str]:
        return [name.strip() for name in _values(first, delimiter)]

    def fit(delimiter: str) -> tuple[int, int]:
        found = names(delimiter)
        if written.columns:
            return (int(len(found) == len(written.columns)), len(found))
        return (len(set(wanted) & set(found)), len(found))

    delimiter = max(candidates, key=fit)
    if written.delimiter and len(names(delimiter)) == 1 and (other := max(DELIMITERS, key=fit)) in first:
        raise ValueError(
            f"{path} has no {delimiter!r} in its first line, but {other!r}: name that delimiter, or none"
        )
    columns = list(written.columns) if written.columns else names(delimiter)
    columns = [name or f"column_{place}" for place, name in enumerate(columns, 1)]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{path} has two columns {twice!r}: rename one of them")
    return _csv_source(path, CsvText(plain, delimiter, has_header=not written.columns), columns)


def _csv_source(path: Path, text: CsvText, names: list[str]) -> Source:
    # One column more than there should be: what stands in it is too much. Names of our own, since those
    # of the file may differ in upper and lower case only.
    places = [f"c{place}" for place in range(len(names) + 1)]
    reader = _reader(text.place, text.delimiter, places, text.has_header)
    relation = f"(SELECT row_number() OVER () AS row_, * FROM {reader})"
    columns = {
        name: Column(f"nullif(source.{place}, '')") for name, place in zip(names, places, strict=False)
    }
    flaw = (
        f"CASE WHEN source.{places[-1]} IS NOT NULL THEN 'too many values'"
        f" WHEN source.{places[-2]} IS NOT NULL THEN NULL"
        " WHEN contains(source.c0, '\"') THEN 'a quote that is not closed' ELSE 'too few values' END"
    )
    raw = f"concat_ws({sql.literal(text.delimiter)}, {', '.join(f'source.{place}' for place in places)})"
    return Source(path, relation, columns, flaw, raw, text)


def _reader(place: Path, delimiter: str, names: list[str], skip: bool, quote: str = '"') -> str:
    columns = ", ".join(f"{sql.literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({sql.literal(str(place))}, auto_detect=false, header=false, skip={int(skip)},"
        f" columns={{{columns}}}, delim={sql.literal(delimiter)}, quote={sql.literal(quote)},"
        f" escape={sql.literal(quote)}, nullstr={sql.literal(NOTHING)}, compression='none',"
        f" max_line_size={LONGEST_ROW}, buffer_size={2 * LONGEST_ROW}, strict_mode=false,"
        " null_padding=true, parallel=false,"
        " store_rejects=true, rejects_limit=0)"
    )


def lines_of(place: Path, skip: int = 0) -> str:
    """A reader of whole lines, as a column `line`; a separator that no text has keeps them whole."""
    return f"(SELECT line FROM {_reader(place, chr(2), ['line'], bool(skip), quote='')})"


def _values(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def broken_in_reading(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(row, reason, raw) of the rows that DuckDB itself set aside in the last reading of a text file."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone():
        return []
    rows = connection.execute("SELECT line, error_type, csv_line FROM reject_errors ORDER BY line").fetchall()
    connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
    reasons = {"INVALID ENCODING": "not in UTF-8", "LINE SIZE OVER MAXIMUM": "too long"}
    return [(line - 1, reasons.get(kind, kind.lower()), raw) for line, kind, raw in rows]


def has_rows_of_many_lines(source: Source, rows: int) -> bool:
    """Whether a CSV that was read as so many rows has quotes and more lines: well quoted texts of several
    lines, or a quote that is never closed and swallows rows."""
    if source.text is None:
        return False
    quoted, lines, returns, last = False, 0, 0, b""
    with source.text.place.open("rb") as file:
        while chunk := file.read(1 << 24):
            quoted = quoted or b'"' in chunk
            lines, returns, last = lines + chunk.count(b"\n"), returns + chunk.count(b"\r"), chunk[-1:]
    lines = (lines or returns) + (last not in (b"\n", b"\r"))
    return quoted and lines - source.text.has_header > rows


def by_line(connection: duckdb.DuckDBPyConnection, source: Source, scratch: Path) -> Source:
    """The same CSV with every line as a row for itself; one with an odd number of quotes is broken (it
    becomes a single value, which is too few). For files in which quotes that are never closed swallow rows:
    whoever asks takes the reading that has more usable rows."""
    assert source.text is not None
    copy = scratch / f"{uuid.uuid4().hex}.csv"
    batches = connection.execute(
        "SELECT CASE WHEN (length(line) - length(replace(line, '\"', ''))) % 2 = 0 THEN line"
        " ELSE '\"' || replace(line, '\"', '\"\"') || '\"' END"
        f" FROM {lines_of(source.text.place, skip=int(source.text.has_header))}"
    ).fetch_record_batch(100_000)
    with copy.open("w", encoding="utf-8", newline="") as file:
        for batch in batches:
            file.write("\n".join(batch.column(0).to_pylist()) + "\n")
    text = CsvText(copy, source.text.delimiter, has_header=False)
    return _csv_source(source.path, text, list(source.columns))
