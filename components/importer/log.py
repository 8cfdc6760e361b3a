"""Any event log → day folders, within bounded memory; DuckDB does the work and spills to disk."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from components.events import sql
from components.events.csv_text import broken_in_reading, by_line, has_rows_of_many_lines
from components.events.files import open_source
from components.events.source import AS_FOUND, FileFormat, sentence
from components.events.staging import SOURCE_FIELD, SOURCE_FILE, SOURCE_REASON, SOURCE_ROW
from components.events.store import RAW_COLUMNS
from components.importer import records
from components.importer.days import deliver, files_of
from components.importer.mapping import ColumnMapping, staged
from schemas.home import Home

MEMORY = "1500MB"
"""What DuckDB may hold; the process needs about half a gigabyte beside it."""
THREADS = 4

OnDay = Callable[[dt.date, int, int], None]
OnRead = Callable[[float], None]


def silent(day: dt.date, number: int, days: int) -> None:
    """Progress that nobody looks at."""


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
    unknown_behaviors: Mapping[str, int] = field(default_factory=dict)
    """The commonest words that no behaviour is known for."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows that the mapping leaves out, by reason."""
    repeats: float = 0.0
    """Share of events whose user takes the item again."""
    described: float | None = None
    """Share of the log's items that the item table knows; None without one."""
    days_merged: int = 0
    """Days among those written that had other events before."""
    replaced: bool = False
    """The log was taken as all there is of its days."""
    time_zone: str = "UTC"
    quarantine: Path | None = None
    """Where the rows lie that cannot be used."""


def import_events(
    source: Path,
    mapping: ColumnMapping,
    home: Home,
    on_day: OnDay = silent,
    *,
    written: FileFormat = AS_FOUND,
    replace: bool = False,
    on_read: OnRead = lambda percent: None,
    now: dt.datetime | None = None,
    posted: bool = False,
) -> ImportSummary:
    """Brings the log's days into `home.events`; a day that has all of it already stays as it is.

    What a day has and the log lacks stays, unless `replace` says that the log is all there is of its
    days. Rows that cannot be used go to `data/quarantine/`; those with a day also into its folder, for
    the day's account. `on_read` (percent) and `on_day` are told of progress. posted: nobody sits by, so
    another import's end is waited for, and a log without a usable row is no error. ValueError in one
    sentence where the file, a column or the time zone cannot be used.
    """
    records.require_zone(home, mapping.time_zone)
    name = records.name_of(source)
    with workspace(home, wait=posted) as (connection, scratch):
        read_log(connection, source, mapping, written, scratch, on_read, now)
        faults = counts(connection, "faulty", "fault.field || ' ' || fault.reason")
        if not posted and not sql.single(connection, "SELECT count(*) FROM log")[0]:
            told = ", ".join(f"{reason}: {count}" for reason, count in faults.items()) or "it has none"
            cure = "check which column is named as what"
            if "timestamp not a time" in faults:
                cure += ", and how times are written (--time-format)"
            raise ValueError(f"no row of {source} can be used ({told}): {cure}")
        written_days, merged = write_days(connection, home, name, replace, scratch, on_day)
        summary = dataclasses.replace(
            _summary(connection, home, faults),
            days_written=written_days,
            days_merged=merged,
            replaced=replace,
            time_zone=mapping.time_zone,
            quarantine=records.keep_faulty(connection, home, name),
        )
    records.write(home, name, source, mapping, written, dataclasses.asdict(summary))
    return summary


@contextmanager
def workspace(home: Home, wait: bool = False) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database on disk beside the days, with bounded memory, and its folder; both go at the end.

    RuntimeError where another import into this deployment is running, unless its end is waited for.
    """
    data = home.events.parent
    data.mkdir(parents=True, exist_ok=True)
    scratch = data / f".import-{uuid.uuid4().hex}"
    with (data / ".import.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise RuntimeError("another import into this deployment is running: wait for its end") from None
        for left_over in data.glob(".import-*"):  # of an import that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        scratch.mkdir()
        with _database(scratch) as connection:
            yield connection, scratch


@contextmanager
def _database(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with sql.connect(str(scratch / "log.duckdb")) as connection:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            connection.execute(f"SET threads = {min(THREADS, os.cpu_count() or 1)}")
            connection.execute(f"SET temp_directory = {sql.literal(str(scratch / 'spill'))}")
            yield connection
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_log(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    mapping: ColumnMapping,
    written: FileFormat,
    scratch: Path,
    on_read: OnRead = lambda percent: None,
    now: dt.datetime | None = None,
    exact_ids: bool = False,
) -> None:
    """Makes the tables `log` (usable rows, sorted by day and time), `faulty` and `skipped`.

    Ids of a CSV that are all numbers with `.0` lose it (a float column of pandas), unless `exact_ids`.
    """
    now = now or dt.datetime.now(dt.timezone.utc)
    naive = mapping.times_in or mapping.time_zone
    for zone in (mapping.time_zone, naive):
        if not connection.execute("SELECT 1 FROM pg_timezone_names() WHERE name = ?", [zone]).fetchone():
            raise ValueError(f"{zone!r} is no time zone: name one such as Europe/Vienna")
    connection.execute(f"SET TimeZone = {sql.literal(naive)}")
    opened = open_source(connection, source, scratch, mapping.wanted, written)
    try:
        rows = _slim(staged(opened, mapping, now, written.decimal))
        _run(connection, f"CREATE TABLE staged AS {rows}", on_read)
        broken = broken_in_reading(connection)
        (found,) = sql.single(connection, "SELECT count(*) FROM staged")
        if has_rows_of_many_lines(opened, found + len(broken)):
            rows = _slim(staged(by_line(connection, opened, scratch), mapping, now, written.decimal))
            _run(connection, f"CREATE TABLE lines AS {rows}", on_read)
            broken_lines = broken_in_reading(connection)
            if _usable(connection, "lines") > _usable(connection, "staged"):
                connection.execute("CREATE OR REPLACE TABLE staged AS FROM lines")
                broken = broken_lines
            connection.execute("DROP TABLE lines")
        if opened.text is not None and not exact_ids:
            for name in ("user_id", "item_id"):
                sql.without_fractions(connection, "staged", name)
        connection.execute("SET TimeZone = 'UTC'")
        for row, reason, raw in broken:
            connection.execute(
                "INSERT INTO staged (row, raw, fault) VALUES (?, ?, {'field': 'row', 'reason': ?})",
                [row, raw, reason],
            )
        _run(connection, _LOG, on_read)
        connection.execute(_FAULTY)
        connection.execute(
            "CREATE TABLE skipped AS SELECT skip, count(*) AS rows FROM staged"
            " WHERE skip IS NOT NULL GROUP BY 1"
        )
        connection.execute("DROP TABLE staged")
    except duckdb.Error as error:
        raise ValueError(f"{source} cannot be read: {sentence(error)}") from error


def _slim(query: str) -> str:
    """The staged rows without the texts that good rows no longer need."""
    return (
        "SELECT row, user_id, item_id, behavior, event_id, time, money, skip, fault, raw,"
        " CASE WHEN fault IS NOT NULL THEN timestamp END AS timestamp,"
        f" CASE WHEN fault IS NOT NULL THEN price END AS price FROM ({query})"
    )


_LOG = """
CREATE TABLE log AS SELECT CAST(time AS DATE) AS day, time, user_id, item_id, behavior, event_id, money
FROM staged WHERE fault IS NULL AND skip IS NULL
ORDER BY day, time, user_id, item_id, behavior, event_id, money
"""
_UNKNOWN = """
SELECT behavior, count(*) FROM faulty WHERE fault.field = 'behavior' AND behavior IS NOT NULL
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
"""
_FAULTY = f"""
CREATE TABLE faulty AS SELECT row, CASE WHEN fault.field != 'timestamp' THEN CAST(time AS DATE) END AS day,
    fault, {", ".join(RAW_COLUMNS)}, raw
FROM staged WHERE fault IS NOT NULL AND skip IS NULL ORDER BY row
"""


def _usable(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return sql.single(connection, f"SELECT count(*) FROM {table} WHERE fault IS NULL")[0]


def write_days(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    name: str,
    replace: bool,
    scratch: Path,
    on_day: OnDay = silent,
) -> tuple[int, int]:
    """Writes the days of `log` and `faulty`; returns how many were written, and how many had files before."""
    days = connection.execute(
        "SELECT day FROM log UNION SELECT day FROM faulty WHERE day IS NOT NULL ORDER BY 1"
    ).fetchall()
    has_ids, has_prices = sql.single(connection, "SELECT count(event_id) > 0, count(money) > 0 FROM log")
    columns = ["user_id", "item_id", "timezone('UTC', time) AS timestamp", "behavior"]
    columns += (["event_id"] if has_ids else []) + (["money AS price"] if has_prices else [])
    written = merged = 0
    for number, (day,) in enumerate(days, 1):
        that = f"day = DATE '{day.isoformat()}'"
        folder = home.events / day.isoformat()
        had_files = bool(files_of(folder))
        is_new = deliver(
            connection,
            folder,
            f"SELECT {', '.join(columns)} FROM log WHERE {that}",
            f"SELECT {sql.literal(name)} AS {SOURCE_FILE}, row AS {SOURCE_ROW},"
            f" fault.field AS {SOURCE_FIELD}, fault.reason AS {SOURCE_REASON},"
            f" {', '.join(RAW_COLUMNS)} FROM faulty WHERE {that}",
            replace,
            scratch,
        )
        written += is_new is not None
        merged += is_new is not None and had_files
        on_day(day, number, len(days))
    return written, merged


def _summary(connection: duckdb.DuckDBPyConnection, home: Home, faults: Mapping[str, int]) -> ImportSummary:
    first, last, days = sql.single(
        connection,
        "SELECT min(day), max(day), count(DISTINCT day) FROM"
        " (SELECT day FROM log UNION ALL SELECT day FROM faulty WHERE day IS NOT NULL)",
    )
    users, items, pairs, events = sql.single(
        connection,
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT user_id FROM log)),"
        " (SELECT count(*) FROM (SELECT DISTINCT item_id FROM log)),"
        " (SELECT count(*) FROM (SELECT DISTINCT user_id, item_id FROM log)), (SELECT count(*) FROM log)",
    )
    described = None
    if home.items.is_file():
        table = f"read_parquet({sql.literal(str(home.items))})"
        (known,) = sql.single(
            connection,
            f"SELECT count(*) FROM (SELECT DISTINCT item_id FROM log SEMI JOIN {table} USING (item_id))",
        )
        described = known / items if items else None
    return ImportSummary(
        first_day=first,
        last_day=last,
        days=days,
        days_written=0,
        users=users,
        items=items,
        events=events,
        behaviors=counts(connection, "log", "behavior"),
        quarantined=faults,
        unknown_behaviors=dict(connection.execute(_UNKNOWN).fetchall()),
        skipped=dict(connection.execute("SELECT skip, rows FROM skipped ORDER BY 1").fetchall()),
        repeats=1 - pairs / events if events else 0.0,
        described=described,
    )


def counts(connection: duckdb.DuckDBPyConnection, table: str, what: str) -> dict[str, int]:
    return dict(connection.execute(f"SELECT {what}, count(*) FROM {table} GROUP BY 1 ORDER BY 1").fetchall())


def _run(connection: duckdb.DuckDBPyConnection, query: str, on_read: OnRead) -> None:
    """Runs a long query and tells how far it is, in percent."""
    connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(connection.execute, query)
        try:
            while not wait([running], timeout=0.3).done:
                on_read(max(connection.query_progress(), 0.0))
        except KeyboardInterrupt:
            connection.interrupt()
            raise
        running.result()
