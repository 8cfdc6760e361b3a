"""A source file as DuckDB reads it: its format, compression, encoding, delimiter, columns and broken rows.

A text file is never guessed from its rows: the header and the names that are asked for decide the
delimiter, every value stays text, and a row of too few or too many values is kept as a broken row.
"""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import shutil
import uuid
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from components.events import sql

DELIMITERS = (",", ";", "\t", "|", "::")
_NOT_READ = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\xfd7zXZ": "packed with xz",
}
NOTHING = "\x01"
"""Stands for "no value": an empty text must stay apart from a value that the row lacks."""
LONGEST_ROW = 8_000_000
KEYS_LOOKED_AT = 1000
SHOWN = 500
"""Characters of a list of columns in a message."""


@dataclass(frozen=True)
class FileFormat:
    """How a text file is written. What is None is found out: the delimiter from the header, UTF-8 or the
    byte order mark as encoding, column names in the first line."""

    delimiter: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] | None = None
    decimal: str = "."
    """What parts whole numbers from fractions: `.`, or `,` (then a `.` groups thousands)."""

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise ValueError(f"decimal {self.decimal!r} is neither '.' nor ',': take one of them")


@dataclass(frozen=True)
class Column:
    """An SQL expression over a source's relation, and its DuckDB type."""

    sql: str
    type: str = "VARCHAR"


@dataclass(frozen=True)
class CsvText:
    """The readable copy of a CSV file, and how it is written."""

    place: Path
    delimiter: str
    has_header: bool


@dataclass(frozen=True)
class Source:
    """A file to select from. `relation`, to be called `source`, has a column `row_` (1 = the first row of
    data) beside `columns`; `flaw` is an SQL text: why a row is broken as a row, or NULL; `raw` is then the
    row as it was found."""

    path: Path
    relation: str
    columns: Mapping[str, Column]
    flaw: str = "CAST(NULL AS VARCHAR)"
    raw: str = "CAST(NULL AS VARCHAR)"
    text: CsvText | None = None

    def column(self, name: str) -> Column:
        """The column of that name; ValueError names those that there are, or says that it is nested."""
        if name not in self.columns:
            close = difflib.get_close_matches(name.lower(), [one.lower() for one in self.columns], 1, 0.7)
            meant = next((f", did you mean {one!r}?" for one in self.columns if one.lower() in close), "")
            raise ValueError(
                f"{self.path} has no column {name!r}: it has {', '.join(self.columns)[:SHOWN]}"
                f"{meant or ', name one of these'}"
            )
        found = self.columns[name]
        if found.type.endswith("]") or found.type.startswith(("STRUCT", "MAP", "UNION")):
            raise ValueError(
                f"{self.path} holds lists or structs in column {name!r}: name one of plain values"
            )
        return found


def open_source(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    scratch: Path,
    wanted: Collection[str] = (),
    written: FileFormat = FileFormat(),
) -> Source:
    """Looks at the file; unpacked or recoded copies go into `scratch`.

    `wanted` are the columns that will be asked for. FileNotFoundError or ValueError, in one sentence,
    where the file cannot be read as what it is.
    """
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder: name a file in it")
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: name a CSV, Parquet or JSON lines file")
    plain = _unpacked(path, scratch)
    with plain.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PAR1"):
        return _parquet(connection, path, plain)
    for begin, what in _NOT_READ.items():
        if start.startswith(begin):
            raise ValueError(f"{path} is {what}: unpack it, or save it as CSV")
    if path.suffix == ".parquet":
        raise ValueError(f"{path} cannot be read as Parquet, it does not begin like one: write it again")
    plain = _in_utf8(path, plain, start, written.encoding, scratch)
    with plain.open("rb") as file:
        start = file.read(4096).removeprefix(codecs.BOM_UTF8)
    if not start.strip():
        raise ValueError(f"{path} is empty: it needs a header and at least one row")
    if b"\0" in start:
        raise ValueError(f"{path} is no text file: save it as CSV, or name its encoding")
    is_json = any(one in (".json", ".jsonl", ".ndjson") for one in path.suffixes)
    if is_json and start.lstrip().startswith(b"["):
        raise ValueError(f"{path} is one JSON array: write one object a line (`jq -c '.[]'` does it)")
    if is_json or start.lstrip().startswith(b"{"):
        return _json_lines(connection, path, plain)
    return _csv(path, plain, wanted, written)


def broken_in_reading(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(row, reason, raw) of the rows that DuckDB itself set aside in the last reading of a text file."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone():
        return []
    rows = connection.execute("SELECT line, error_type, csv_line FROM reject_errors ORDER BY line").fetchall()
    connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
    reasons = {"INVALID ENCODING": "not in UTF-8", "LINE SIZE OVER MAXIMUM": "too long"}
    return [(line - 1, reasons.get(kind, kind.lower()), raw) for line, kind, raw in rows]


def by_line(connection: duckdb.DuckDBPyConnection, source: Source, scratch: Path) -> Source:
    """The same CSV, where a quote that is never closed swallows rows: every line is a row for itself, and
    one with an odd number of quotes is broken (it becomes a single value, which is too few)."""
    assert source.text is not None
    copy = scratch / f"{uuid.uuid4().hex}.csv"
    batches = connection.execute(
        "SELECT CASE WHEN (length(line) - length(replace(line, '\"', ''))) % 2 = 0 THEN line"
        " ELSE '\"' || replace(line, '\"', '\"\"') || '\"' END"
        f" FROM {_lines(source.text.place, skip=int(source.text.has_header))}"
    ).fetch_record_batch(100_000)
    with copy.open("w", encoding="utf-8", newline="") as file:
        for batch in batches:
            file.write("\n".join(batch.column(0).to_pylist()) + "\n")
    text = CsvText(copy, source.text.delimiter, has_header=False)
    return _csv_source(source.path, text, list(source.columns))


def _unpacked(path: Path, scratch: Path) -> Path:
    """The file itself, or an unpacked copy. DuckDB would take the half of a gzip file that is cut off for
    the whole: it is unpacked here, where its checksum counts."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if not packed:
        return _without_wildcards(path, scratch)
    copy = scratch / f"{uuid.uuid4().hex}"
    try:
        with gzip.open(path) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged gzip file, fetch it again: {error}") from error
    return copy


def _without_wildcards(path: Path, scratch: Path) -> Path:
    """The file, by a name that DuckDB does not take for a pattern."""
    if not set("*?[") & set(str(path)):
        return path
    link = scratch / uuid.uuid4().hex
    link.symlink_to(path.absolute())
    return link


def _in_utf8(path: Path, plain: Path, start: bytes, encoding: str | None, scratch: Path) -> Path:
    """The file itself, or a copy in UTF-8 where it is written in something else."""
    if encoding is None and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return plain
    encoding = encoding or "utf-16"
    try:
        if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
            return plain
    except LookupError:
        raise ValueError(f"{encoding!r} is no encoding: name one such as latin-1 or utf-16") from None
    copy = scratch / f"{uuid.uuid4().hex}"
    try:
        with (
            plain.open(encoding=encoding, newline="") as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
    except UnicodeError as error:
        raise ValueError(f"{path} is not written in {encoding}, name another encoding: {error}") from error
    return copy


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, plain: Path) -> Source:
    reader = f"read_parquet({sql.literal(str(plain))})"
    try:
        found = connection.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE FROM {reader})"
        ).fetchall()
    except duckdb.Error as error:
        raise ValueError(f"{path} cannot be read as Parquet, write it again: {sentence(error)}") from error
    columns = {name: Column(f"source.{sql.quoted(name)}", type_) for name, type_ in found}
    return Source(path, f"(SELECT row_number() OVER () AS row_, * FROM {reader})", columns)


def _json_lines(connection: duckdb.DuckDBPyConnection, path: Path, plain: Path) -> Source:
    is_object = "json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT'"
    lines = (
        f"(SELECT row_number() OVER () AS row_, line, coalesce({is_object}, false) AS valid"
        f" FROM {_lines(plain)} WHERE trim(line) != '')"
    )
    keys = connection.execute(
        f"SELECT DISTINCT unnest(json_keys(line)) FROM (FROM {lines} WHERE valid LIMIT {KEYS_LOOKED_AT})"
    ).fetchall()
    if not keys:
        raise ValueError(f"{path} holds no JSON objects: write one object a line")
    relation = f"(SELECT row_, line, valid, CASE WHEN valid THEN line ELSE '{{}}' END AS object FROM {lines})"
    columns = {}
    for (key,) in sorted(keys):
        place = '$."' + key.replace('"', '\\"') + '"'
        columns[key] = Column(_plain_value(f"source.object, {sql.literal(place)}"))
    return Source(
        path, relation, columns, "CASE WHEN NOT source.valid THEN 'not a JSON object' END", "source.line"
    )


def _plain_value(place: str) -> str:
    """A JSON value as text: lists and objects are none, whole floats lose their '.0'."""
    value = f"json_extract_string({place})"
    double = f"TRY_CAST({value} AS DOUBLE)"
    whole = f"{double} = round({double}) AND abs({double}) < 1e15"
    return (
        f"CASE json_type({place}) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL"
        f" WHEN 'DOUBLE' THEN CASE WHEN {whole} THEN CAST(CAST({double} AS BIGINT) AS VARCHAR)"
        f" ELSE {value} END ELSE {value} END"
    )


def _csv(path: Path, plain: Path, wanted: Collection[str], written: FileFormat) -> Source:
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


def _lines(place: Path, skip: int = 0) -> str:
    """A reader of whole lines, as a column `line`; a separator that no text has keeps them whole."""
    return f"(SELECT line FROM {_reader(place, chr(2), ['line'], bool(skip), quote='')})"


def _values(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def sentence(error: Exception) -> str:
    """The first line of a library's error."""
    return str(error).strip().splitlines()[0].removeprefix("Invalid Input Error: ").rstrip(".")
