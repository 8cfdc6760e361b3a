"""Writing day folders: `YYYY-MM-DD/ver-N/`, a new version only where the content differs.

A version holds files in the order of their delivery; what a later delivery adds to a day is one more
file beside those of the version before. Which rows repeat an earlier one is for the events step to say.
"""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from components.durable import make_durable, sync
from components.events import sql
from components.events.read import SUFFIXES
from components.events.staging import SOURCE_FILE, SOURCE_ROW, stage

EVENTS, QUARANTINED = "events", "quarantined"


def versions(day: Path) -> list[int]:
    """The version numbers of a day folder, ascending; half-written ones do not count."""
    if not day.is_dir():
        return []
    return sorted(int(p.name[4:]) for p in day.glob("ver-*") if p.name[4:].isdigit() and p.is_dir())


def files_of(day: Path) -> list[Path]:
    """The files of the newest version, in the order of their delivery."""
    existing = versions(day)
    if not existing:
        return []
    return sorted(one for one in (day / f"ver-{existing[-1]}").iterdir() if one.suffix in SUFFIXES)


def write_day(events_folder: Path, date: str, events: pa.Table) -> int | None:
    """Writes the day as its next version; None, and nothing is written, where it would change nothing."""
    day = events_folder / date
    present = files_of(day)
    if len(present) == 1 and present[0].suffix == ".parquet" and pq.read_table(present[0]).equals(events):
        return None
    with next_version(day) as (version, folder):
        pq.write_table(events, folder / f"{EVENTS}-{version:06d}.parquet", compression="zstd")
    return version


def deliver(
    connection: duckdb.DuckDBPyConnection,
    day: Path,
    events: str,
    quarantined: str,
    replace: bool,
    scratch: Path,
) -> int | None:
    """Writes what two queries give as the day's next version: events, and rows in quarantine.

    With `replace` they are all that the day has; else they come beside what is there. None, and nothing
    is written, where the day has all of it already (and, with `replace`, nothing else).
    """
    present = files_of(day)
    new = [
        target
        for query, target in (
            (events, scratch / f"{EVENTS}.parquet"),
            (quarantined, scratch / f"{QUARANTINED}.parquet"),
        )
        if connection.execute(
            f"COPY ({query}) TO {sql.literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()[0][0]
    ]
    if (
        present
        and not _lacks(connection, present, new, scratch)
        and not (replace and _lacks(connection, new, present, scratch))
    ):
        return None
    with next_version(day) as (version, folder):
        for path in () if replace else present:
            shutil.copy2(path, folder / path.name)
        for path in new:
            shutil.move(path, folder / f"{path.stem}-{version:06d}.parquet")
    return version


def without_rows(connection: duckdb.DuckDBPyConnection, day: Path, mended: str) -> int | None:
    """A next version without those rows in quarantine whose (source_file, source_row) are in the table
    `mended`; None, and nothing is written, where there are none."""
    held = {path: _rows(path, "ANTI", mended) for path in files_of(day) if path.name.startswith(QUARANTINED)}
    if not any(
        sql.single(connection, f"SELECT count(*) FROM ({_rows(path, 'SEMI', mended)})")[0] for path in held
    ):
        return None
    with next_version(day) as (version, folder):
        for path in files_of(day):
            if path in held:
                target = sql.literal(str(folder / path.name))
                connection.execute(f"COPY ({held[path]}) TO {target} (FORMAT parquet, COMPRESSION zstd)")
            else:
                shutil.copy2(path, folder / path.name)
    return version


@contextmanager
def next_version(day: Path) -> Iterator[tuple[int, Path]]:
    """The number of the next version and a folder that becomes it, whole, when the block ends well."""
    version = max(versions(day), default=0) + 1
    put_aside = day / f".{uuid.uuid4().hex}"
    put_aside.mkdir(parents=True)
    try:
        yield version, put_aside
        make_durable(put_aside)  # who hands events on may forget them once they are here
        put_aside.rename(day / f"ver-{version}")
        sync(day)
        sync(day.parent)
    finally:
        shutil.rmtree(put_aside, ignore_errors=True)


def write_table(path: Path, table: pa.Table) -> bool:
    """Replaces an item or user table in one step; False where it would change nothing."""
    if path.is_file() and pq.read_table(path).equals(table):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    pq.write_table(table, aside, compression="zstd")
    sync(aside)
    aside.replace(path)
    sync(path.parent)
    return True


def _lacks(
    connection: duckdb.DuckDBPyConnection, there: Sequence[Path], wanted: Sequence[Path], scratch: Path
) -> bool:
    """Whether `wanted` has a row, or one more of identical rows in one file, that `there` has not."""
    counted = []
    for table, files in (("there", there), ("wanted", wanted)):
        stage(connection, files, "NULL", scratch, table)
        counted.append(
            "SELECT key, row_number() OVER (PARTITION BY place, key)"
            f" FROM (SELECT place, {_KEY} AS key FROM {table})"
        )
    (lacking,) = sql.single(connection, f"SELECT count(*) FROM ({counted[1]} EXCEPT {counted[0]})")
    return bool(lacking)


_KEY = """md5(concat_ws(chr(31), coalesce(user_id, ''), coalesce(item_id, ''),
    coalesce(CAST(epoch_us(time) AS VARCHAR), timestamp, ''), coalesce(behavior, ''), coalesce(event_id, ''),
    coalesce(CAST(money AS VARCHAR), price, ''), coalesce(fault.reason, '')))"""


def _rows(path: Path, join: str, mended: str) -> str:
    place = sql.literal(str(path))
    return f"SELECT * FROM read_parquet({place}) {join} JOIN {mended} USING ({SOURCE_FILE}, {SOURCE_ROW})"
