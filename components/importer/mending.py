"""Rows that were in quarantine and have been mended: back into their days."""
# ruff: noqa: S608 - names and texts go into queries quoted, through components.events.sql

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from components.events import sql
from components.events.files import open_source
from components.events.source import FileFormat
from components.importer import records
from components.importer.days import without_rows
from components.importer.log import counts, read_log, workspace, write_days
from schemas.home import Home


@dataclass(frozen=True)
class MendingSummary:
    """What became of the rows of a mended file."""

    mended: int
    days_written: int
    still_faulty: Mapping[str, int]
    """By reason; these rows stay in quarantine as they were."""


def import_mended(source: Path, home: Home, now: dt.datetime | None = None) -> MendingSummary:
    """Brings the usable rows of a quarantine file (`data/quarantine/…csv`, mended) into their days.

    They are read by the mapping of the import that set them aside, become a new version beside what
    their days have, and are no longer counted as quarantined. The same file again changes nothing.
    ValueError in one sentence where the file is no quarantine file of one remembered import.
    """
    with workspace(home) as (connection, scratch):
        opened = open_source(connection, source, scratch, ("file", "row"))
        file, row = (sql.text(opened.column(name).sql, opened.column(name).type) for name in ("file", "row"))
        connection.execute(
            f"CREATE TABLE origins AS SELECT row_, {file} AS source_file,"
            f" TRY_CAST({row} AS BIGINT) AS source_row FROM {opened.relation} AS source"
        )
        names = connection.execute(
            "SELECT DISTINCT source_file FROM origins WHERE source_file IS NOT NULL"
        ).fetchall()
        if len(names) != 1:
            raise ValueError(
                f"{source} holds rows of {len(names)} imports: keep those of one import in a file"
            )
        ((name,),) = names
        mapping, decimal = records.mapping_of(home, name)
        mapping = dataclasses.replace(
            mapping,
            user="user_id",
            item="item_id",
            timestamp="timestamp",
            behavior="behavior",
            as_behavior=None,
            event_id="event_id",
            price="price",
            quantity=None,
        )
        read_log(connection, source, mapping, FileFormat(decimal=decimal), scratch, now=now, exact_ids=True)
        still_faulty = counts(connection, "faulty", "fault.field || ' ' || fault.reason")
        connection.execute(
            "CREATE TABLE mended AS SELECT source_file, source_row FROM origins"
            " WHERE row_ NOT IN (SELECT row FROM faulty)"
        )
        (mended,) = sql.single(connection, "SELECT count(*) FROM mended")
        connection.execute("DELETE FROM faulty")
        written, _ = write_days(connection, home, name, False, scratch)
        _forget(connection, home)
    return MendingSummary(mended, written, still_faulty)


def _forget(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Takes the mended rows out of what days hold in quarantine; a mended time may be of another day."""
    for day in sorted(home.events.glob("????-??-??")):
        without_rows(connection, day, "mended")
