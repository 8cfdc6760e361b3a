"""One day's files → unique typed events, a quarantine and an account."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from components.events import sql
from components.events.store import QUARANTINE, RAW_COLUMNS, write_day
from schemas.events import EVENTS, OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from schemas.spans import date_of, span_of

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class DayFiles:
    """The files that count for one day: those of its highest version; none where the day is missing."""

    span: int
    version: int
    """0 where the day is missing."""
    files: tuple[Path, ...]


def day_files(folder: Path, span: int) -> DayFiles:
    """Looks the day up below `folder` (`YYYY-MM-DD/ver-N/`)."""
    day = Path(folder) / date_of(span).isoformat()
    numbers = [int(path.name[4:]) for path in day.glob("ver-*") if re.fullmatch(r"ver-\d+", path.name)]
    if not numbers:
        return DayFiles(span, 0, ())
    version = max(numbers)
    files = sorted(path for path in (day / f"ver-{version}").iterdir() if path.suffix in SUFFIXES)
    return DayFiles(span, version, tuple(files))


def available_spans(folder: str | Path) -> list[int]:
    """The spans that have a day folder with files, ascending."""
    days = []
    for path in Path(folder).glob("????-??-??"):
        with contextlib.suppress(ValueError):  # a folder that is named otherwise is no day
            days.append(span_of(dt.date.fromisoformat(path.name)))
    return sorted(span for span in days if day_files(Path(folder), span).files)


def fingerprint(folder: str | Path, first_span: int, last_span: int) -> str:
    """SHA-256 over versions, names, sizes and contents of the day files of a stretch."""
    total = hashlib.sha256()
    for span in range(first_span, last_span + 1):
        found = day_files(Path(folder), span)
        total.update(f"{span}\0{found.version}\0".encode())
        for path in found.files:
            content = path.read_bytes()
            total.update(f"{path.name}\0{len(content)}\0".encode() + hashlib.sha256(content).digest())
    return total.hexdigest()


def read_stretch(folder: str | Path, first_span: int, last_span: int, out: str | Path) -> None:
    """Reads spans `first_span`..`last_span` and writes each into `out` (layout: `store`).

    A missing day within the stretch has no events; FileNotFoundError where the last day is missing,
    ValueError where a file cannot be read.
    """
    if first_span > last_span:
        raise ValueError(f"the stretch {date_of(first_span)}..{date_of(last_span)} ends before it begins")
    last = day_files(Path(folder), last_span)
    if not last.files:
        day = date_of(last_span)
        raise FileNotFoundError(
            f"there are no events of {day}: put its files into {Path(folder) / str(day)}/ver-1/"
        )
    with sql.connect() as connection:
        for span in range(first_span, last_span + 1):
            write_day(out, span, *read_day(day_files(Path(folder), span), connection))


def read_day(day: DayFiles, connection: duckdb.DuckDBPyConnection) -> tuple[pa.Table, pa.Table, dict]:
    """(events, quarantine, account) of one day.

    Events are sorted by (timestamp, user_id, event_id) and unique by `event_id`; a row without one
    is identified by its fields and its ordinal among identical rows of the same file, since exact
    repeats can be real. Of rows with the same identity the first in (file, row) order counts.
    """
    if not day.files:
        return (
            EVENTS.empty_table(),
            QUARANTINE.empty_table(),
            _account(day, 0, EVENTS.empty_table(), QUARANTINE.empty_table()),
        )
    staged = " UNION ALL ".join(_source(connection, path) for path in day.files)
    date = f"DATE '{date_of(day.span).isoformat()}'"
    fault = sql.complaint("user_id", "item_id", "timestamp", "time", "behavior", "price", "money", date)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE rows AS SELECT *, {fault} AS fault FROM ({staged})")
    except duckdb.Error as error:
        raise ValueError(f"a file of {day.files[0].parent} cannot be read: {_first_line(error)}") from error
    (received,) = sql.single(connection, "SELECT count(*) FROM rows")
    quarantine = connection.execute(
        f"SELECT file, row, fault.field AS field, fault.reason AS reason, {', '.join(RAW_COLUMNS)}"
        " FROM rows WHERE fault IS NOT NULL ORDER BY file, row"
    ).fetch_arrow_table()
    events = connection.execute(_UNIQUE).fetch_arrow_table()
    events, quarantine = events.cast(EVENTS), quarantine.cast(QUARANTINE)
    return events, quarantine, _account(day, received, events, quarantine)


_UNIQUE = """
WITH good AS (
    SELECT *, concat_ws(chr(31), user_id, item_id, epoch_us(time), behavior,
        coalesce(CAST(money AS VARCHAR), '')) AS fields
    FROM rows WHERE fault IS NULL
), named AS (
    SELECT *, coalesce(event_id, md5(concat_ws(chr(31), fields,
        row_number() OVER (PARTITION BY file, fields, event_id ORDER BY row)))) AS identity
    FROM good
)
SELECT identity AS event_id, user_id, item_id, CAST(time AS TIMESTAMPTZ) AS timestamp, behavior,
    money AS price
FROM named
QUALIFY row_number() OVER (PARTITION BY identity ORDER BY file, row) = 1
ORDER BY time, user_id, identity
"""


def _source(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """A query for one file's rows: file, row, the raw texts, `time` and `money`."""
    name = sql.literal(str(path))
    reader = (
        f"read_parquet({name})"
        if path.suffix == ".parquet"
        else f"read_csv({name}, header=true, all_varchar=true)"
    )
    try:
        types = dict(
            connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {reader})").fetchall()
        )
    except duckdb.Error as error:
        raise ValueError(f"{path} cannot be read, write it again: {_first_line(error)}") from error
    for column in REQUIRED_COLUMNS:
        if column not in types:
            raise ValueError(f"{path} has no column {column}: it needs {', '.join(REQUIRED_COLUMNS)}")
    raw = {
        column: sql.text(sql.quoted(column), types[column]) if column in types else "CAST(NULL AS VARCHAR)"
        for column in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    }
    money = sql.price('"price"', types["price"]) if "price" in types else "CAST(NULL AS DOUBLE)"
    time = sql.timestamp('"timestamp"', types["timestamp"])
    columns = ", ".join(f"{raw[column]} AS {column}" for column in RAW_COLUMNS)
    return (
        f"SELECT {sql.literal(path.name)} AS file, row_number() OVER () AS row, {columns},"
        f" {time} AS time, {money} AS money FROM {reader} AS source"
    )


def _account(day: DayFiles, received: int, events: pa.Table, quarantine: pa.Table) -> dict:
    """received = accepted + duplicates + the sum of quarantined."""
    reasons: dict[str, int] = {}
    for field, reason in zip(quarantine["field"].to_pylist(), quarantine["reason"].to_pylist(), strict=True):
        key = f"{field} {reason}"
        reasons[key] = reasons.get(key, 0) + 1
    return {
        "span": day.span,
        "date": date_of(day.span).isoformat(),
        "version": day.version,
        "missing": not day.files,
        "received": received,
        "accepted": events.num_rows,
        "duplicates": received - events.num_rows - quarantine.num_rows,
        "quarantined": reasons,
    }


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].removeprefix("Invalid Input Error: ").rstrip(".")
