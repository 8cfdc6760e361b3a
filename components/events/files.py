"""Opening a source file for DuckDB, whatever its format, compression and encoding are."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import codecs
import gzip
import shutil
import uuid
import zlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from components.events import sql
from components.events.csv_text import lines_of, open_csv
from components.events.source import AS_FOUND, Column, FileFormat, Source, sentence

_NOT_READ = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\xfd7zXZ": "packed with xz",
}
KEYS_LOOKED_AT = 1000


def open_source(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    scratch: Path,
    wanted: Collection[str] = (),
    written: FileFormat = AS_FOUND,
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
    return open_csv(path, plain, wanted, written)


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
        f" FROM {lines_of(plain)} WHERE trim(line) != '')"
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
