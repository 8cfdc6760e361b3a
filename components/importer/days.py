"""Writing day folders: `YYYY-MM-DD/ver-N/`, a new version only where the content differs."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

EVENTS_FILE = "events.parquet"


def versions(day: Path) -> list[int]:
    """The version numbers of a day folder, ascending; half-written ones do not count."""
    if not day.is_dir():
        return []
    return sorted(int(p.name[4:]) for p in day.glob("ver-*") if p.name[4:].isdigit() and p.is_dir())


def write_day(events_folder: Path, date: str, events: pa.Table) -> int | None:
    """Writes the day as its next version; None, and nothing is written, where it would change nothing."""
    day = events_folder / date
    existing = versions(day)
    newest = day / f"ver-{existing[-1]}" / EVENTS_FILE if existing else None
    if newest is not None and newest.is_file() and pq.read_table(newest).equals(events):
        return None
    version = existing[-1] + 1 if existing else 1
    put_aside = day / f".{uuid.uuid4().hex}"
    put_aside.mkdir(parents=True)
    try:
        pq.write_table(events, put_aside / EVENTS_FILE, compression="zstd")
        put_aside.rename(day / f"ver-{version}")
    finally:
        shutil.rmtree(put_aside, ignore_errors=True)
    return version


def write_table(path: Path, table: pa.Table) -> bool:
    """Replaces an item or user table in one step; False where it would change nothing."""
    if path.is_file() and pq.read_table(path).equals(table):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    pq.write_table(table, aside, compression="zstd")
    aside.replace(path)
    return True
