"""Closing the loop: events that the gateway took in come into the day folders that the next run learns."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from components.importer import records
from components.importer.log import ImportSummary, import_events
from components.importer.mapping import ColumnMapping
from schemas.home import Home
from serving.gateway.inbox import Inbox, path_of

MOST = 1_000_000
"""Events of one import."""


def fold_inbox(home: Home) -> list[ImportSummary]:
    """Brings every posted event into the next version of its day, exactly once; [] if there is none.

    An event is marked after its day folder has it. Killed in between, the next call imports it again,
    which changes nothing: a day that has an event already stays as it is, and event ids are unique.
    """
    if not path_of(home).exists():
        return []
    inbox, summaries = Inbox(path_of(home)), []
    try:
        while rows := inbox.not_folded(MOST):
            with TemporaryDirectory(dir=home.events.parent, prefix=".inbox-") as folder:
                log = Path(folder) / f"inbox-{rows[0][0]}-{rows[-1][0]}.jsonl"
                with log.open("wb") as file:
                    file.writelines(orjson.dumps(event.model_dump()) + b"\n" for _, event in rows)
                summaries.append(import_events(log, _mapping(home), home, posted=True))
            inbox.fold(rows[0][0], rows[-1][0])
    finally:
        inbox.close()
    return summaries


def _mapping(home: Home) -> ColumnMapping:
    """The inbox's columns; days begin where those that are there do."""
    zones = [
        json.loads(path.read_text())["mapping"]["time_zone"]
        for path in sorted(records.folder(home).glob("*.json"))
    ]
    return ColumnMapping(
        user="user_id", item="item_id", timestamp="timestamp", behavior="behavior", event_id="event_id",
        price="price", time_zone=zones[0] if zones else "UTC",
    )  # fmt: skip
