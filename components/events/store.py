"""The folder of a DayEvents artifact: `<span>/` with events, quarantine and account."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.events import EVENTS

EVENTS_FILE, QUARANTINE_FILE, ACCOUNT_FILE = "events.parquet", "quarantine.parquet", "account.json"

RAW_COLUMNS = ("user_id", "item_id", "timestamp", "behavior", "event_id", "price")
QUARANTINE = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),  # 1 = the file's first row of data
        ("field", pa.string()),
        ("reason", pa.string()),
        *[(name, pa.string()) for name in RAW_COLUMNS],  # the values as they were found
    ]
)
"""A row a source row that cannot be used, with the first thing that is wrong with it."""


def write_day(root: str | Path, span: int, events: pa.Table, quarantine: pa.Table, account: dict) -> None:
    folder = Path(root) / str(span)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(events, folder / EVENTS_FILE, compression="zstd")
    pq.write_table(quarantine, folder / QUARANTINE_FILE, compression="zstd")
    (folder / ACCOUNT_FILE).write_text(json.dumps(account, indent=1, sort_keys=True))


def spans_in(root: str | Path) -> list[int]:
    """The spans of the artifact, ascending."""
    return sorted(int(folder.name) for folder in Path(root).iterdir() if folder.name.isdigit())


def read_events(root: str | Path, span: int) -> pa.Table:
    """The accepted events of one span: `schemas.events.EVENTS`, sorted by (timestamp, user_id, event_id)."""
    return pq.read_table(Path(root) / str(span) / EVENTS_FILE, schema=EVENTS)


def read_quarantine(root: str | Path, span: int) -> pa.Table:
    return pq.read_table(Path(root) / str(span) / QUARANTINE_FILE, schema=QUARANTINE)


def read_account(root: str | Path, span: int) -> dict:
    """span, date, version, missing, received, accepted, duplicates, quarantined {reason: rows}."""
    return json.loads((Path(root) / str(span) / ACCOUNT_FILE).read_text())
