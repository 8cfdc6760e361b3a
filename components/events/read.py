"""One day's files → unique typed events, a quarantine and an account."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from components.events import sql
from components.events.config import EventsConfig
from components.events.source import sentence
from components.events.staging import stage
from components.events.store import QUARANTINE, RAW_COLUMNS, write_day
from schemas.events import EVENTS
from schemas.spans import date_of, span_of

SUFFIXES = (".parquet", ".csv", ".tsv", ".gz", ".json", ".jsonl", ".ndjson")
DEFAULTS = EventsConfig()


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


def read_stretch(
    folder: str | Path,
    first_span: int,
    last_span: int,
    out: str | Path,
    config: EventsConfig = DEFAULTS,
) -> None:
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
            write_day(out, span, *read_day(day_files(Path(folder), span), connection, config))


def read_day(
    day: DayFiles, connection: duckdb.DuckDBPyConnection, config: EventsConfig = DEFAULTS
) -> tuple[pa.Table, pa.Table, dict]:
    """(events, quarantine, account) of one day.

    Events are sorted by (timestamp, user_id, event_id) and unique by `event_id`; a row without one is
    identified by its fields and its ordinal among identical rows of the same file, since exact repeats can
    be real. Of rows with the same identity the first of the last file counts: files are named in the order
    of their delivery. A user has at most `max_events_per_user_day` events, the earliest ones.
    """
    if not day.files:
        nothing = EVENTS.empty_table(), QUARANTINE.empty_table()
        return (*nothing, _account(day, 0, *nothing, capped=0))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            stage(connection, day.files, f"DATE '{date_of(day.span).isoformat()}'", Path(scratch))
    except duckdb.Error as error:
        raise ValueError(f"a file of {day.files[0].parent} cannot be read: {sentence(error)}") from error
    (received,) = sql.single(connection, "SELECT count(*) FROM rows")
    quarantine = connection.execute(
        f"SELECT file, row, fault.field AS field, fault.reason AS reason, {', '.join(RAW_COLUMNS)}, raw"
        " FROM rows WHERE fault IS NOT NULL ORDER BY file, row"
    ).fetch_arrow_table()
    connection.execute(_UNIQUE)
    events = connection.execute(_CAPPED, [config.max_events_per_user_day]).fetch_arrow_table()
    (distinct,) = sql.single(connection, "SELECT count(*) FROM unique_events")
    events, quarantine = events.cast(EVENTS), quarantine.cast(QUARANTINE)
    return events, quarantine, _account(day, received, events, quarantine, distinct - events.num_rows)


_UNIQUE = """
CREATE OR REPLACE TEMP TABLE unique_events AS
WITH good AS (
    SELECT *, concat_ws(chr(31), user_id, item_id, epoch_us(time), behavior,
        coalesce(CAST(money AS VARCHAR), '')) AS fields
    FROM rows WHERE fault IS NULL
), named AS (
    SELECT *, coalesce(event_id, md5(concat_ws(chr(31), fields,
        row_number() OVER (PARTITION BY place, fields, event_id ORDER BY row)))) AS identity
    FROM good
)
SELECT identity AS event_id, user_id, item_id, time, behavior, money AS price
FROM named
QUALIFY row_number() OVER (PARTITION BY identity ORDER BY place DESC, row) = 1
"""
_CAPPED = """
SELECT event_id, user_id, item_id, timezone('UTC', time) AS timestamp, behavior, price
FROM unique_events
QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY time, event_id) <= ?
ORDER BY time, user_id, event_id
"""


def _account(day: DayFiles, received: int, events: pa.Table, quarantine: pa.Table, capped: int) -> dict:
    """received = accepted + duplicates + the sum of quarantined + capped."""
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
        "duplicates": received - events.num_rows - quarantine.num_rows - capped,
        "quarantined": reasons,
        "capped": capped,
    }
