"""The folder of a DayEvents artifact: `<span>/` with events, quarantine and account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
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
        ("raw", pa.string()),  # the whole row, where its values could not be told apart
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


def accounts(root: str | Path) -> dict[str, dict]:
    """The accounts of all days of the artifact, by date."""
    days = (read_account(root, span) for span in spans_in(root))
    return {account["date"]: account for account in days}


def read_account(root: str | Path, span: int) -> dict:
    """span, date, version, missing, received, accepted, duplicates, quarantined {reason: rows}, capped;
    left_out [expectation] where quality has put the day aside."""
    return json.loads((Path(root) / str(span) / ACCOUNT_FILE).read_text())


def is_handed_on(account: Mapping) -> bool:
    """Whether the day of this account was delivered and is sound."""
    return not account["missing"] and not account.get("left_out")


def read_raw(root: str | Path, spans: Iterable[int] | None = None) -> pa.Table:
    """Days (by default all) as they were found, what is quarantined among them: what quality looks at.

    `user_id`, `item_id`, `behavior` as found, `time` (text, null where it is no time of the day), `money`
    (float64), `fault` (null = usable), `span`. Rows that repeat an event are not in it.
    """
    days = []
    for span in spans_in(root) if spans is None else spans:
        good, bad = read_events(root, span), read_quarantine(root, span)
        whole = pa.table(
            {
                "user_id": _both(good["user_id"], bad["user_id"]),
                "item_id": _both(good["item_id"], bad["item_id"]),
                "time": _both(
                    good["timestamp"].cast(pa.string()),
                    pc.if_else(
                        pc.equal(bad["field"], "timestamp"), pa.scalar(None, pa.string()), bad["timestamp"]
                    ),
                ),
                "behavior": _both(good["behavior"], bad["behavior"]),
                "money": _both(good["price"], pa.nulls(bad.num_rows, pa.float64())),
                "fault": _both(
                    pa.nulls(good.num_rows, pa.string()),
                    pc.binary_join_element_wise(bad["field"], bad["reason"], " "),
                ),
                "span": pa.array([span] * (good.num_rows + bad.num_rows), pa.int64()),
            }
        )
        days.append(whole)
    return pa.concat_tables(days)


def _both(good: pa.ChunkedArray | pa.Array, bad: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    chunks = [part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part for part in (good, bad)]
    return pa.chunked_array(chunks, chunks[0].type)
