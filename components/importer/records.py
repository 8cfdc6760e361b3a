"""What is remembered of an import: its mapping and summary, and the rows that could not be used."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from components.events import sql
from components.events.source import FileFormat
from components.events.store import RAW_COLUMNS
from components.importer.mapping import ColumnMapping
from schemas.home import Home

ENDS = 1 << 20


def folder(home: Home) -> Path:
    """A JSON file an import: file, when, mapping, format, summary."""
    return home.events.parent / "imports"


def name_of(source: Path) -> str:
    """The file's name and eight digits of a digest over its size, its first and its last megabyte."""
    if not source.is_file():
        return source.name
    digest = hashlib.sha256(str(source.stat().st_size).encode())
    with source.open("rb") as file:
        digest.update(file.read(ENDS))
        file.seek(max(0, source.stat().st_size - ENDS))
        digest.update(file.read(ENDS))
    return f"{source.name}#{digest.hexdigest()[:8]}"


def require_zone(home: Home, time_zone: str) -> None:
    """ValueError where the days that are there begin at another midnight."""
    for path in sorted(folder(home).glob("*.json")):
        record = json.loads(path.read_text())
        zone = record["mapping"]["time_zone"]
        if zone != time_zone:
            raise ValueError(
                f"the days of this deployment are those of {zone} (see {record['file']}), not of {time_zone}:"
                f" import with --time-zone {zone}, or into a fresh EVERLEARN_HOME"
            )


def write(
    home: Home,
    name: str,
    source: Path,
    mapping: ColumnMapping,
    written: FileFormat,
    summary: Mapping[str, Any],
) -> None:
    """Remembers an import; the same file imported again replaces what is remembered of it."""
    folder(home).mkdir(parents=True, exist_ok=True)
    record = {
        "file": str(source),
        "imported": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "mapping": dataclasses.asdict(mapping),
        "format": dataclasses.asdict(written),
        "summary": summary,
    }
    target = folder(home) / f"{name}.json"
    aside = target.with_suffix(".part")
    aside.write_text(json.dumps(record, indent=1, default=str))
    aside.replace(target)


def mapping_of(home: Home, name: str) -> tuple[ColumnMapping, str]:
    """The mapping and the decimal sign of an earlier import; ValueError where there was none of that name."""
    path = folder(home) / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"no import of {name!r} is remembered in {folder(home)}: import its file itself")
    record = json.loads(path.read_text())
    return ColumnMapping(**record["mapping"]), record["format"].get("decimal", FileFormat().decimal)


def keep_faulty(connection: duckdb.DuckDBPyConnection, home: Home, name: str) -> Path | None:
    """Writes the table `faulty` to `data/quarantine/<name>.csv`, to be mended there; None if it is empty."""
    if not sql.single(connection, "SELECT count(*) FROM faulty")[0]:
        return None
    target = home.events.parent / "quarantine" / f"{name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"COPY (SELECT {sql.literal(name)} AS file, row, fault.field AS field, fault.reason AS reason,"
        f" {', '.join(RAW_COLUMNS)}, raw FROM faulty ORDER BY row)"
        f" TO {sql.literal(str(target))} (FORMAT csv, HEADER true, FORCE_QUOTE *)"
    )
    return target
