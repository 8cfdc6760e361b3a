"""Events on disk before they are acknowledged: a SQLite file, so that an event id counts once.

`everlearn import inbox` brings what is not folded yet into the day folders.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from schemas.home import Home
from serving.gateway.event import Event

_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    received REAL NOT NULL,
    folded INTEGER NOT NULL DEFAULT 0,
    event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS not_folded ON events (seq) WHERE NOT folded;
"""


def path_of(home: Home) -> Path:
    return home.inbox


class Inbox:
    """For any thread; several processes may have it open."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=5.0, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")  # every commit is on the disk
        self._database.executescript(_TABLE)

    def add(self, events: Sequence[Event]) -> int:
        """How many were new; when this returns, all of them are on the disk. All or none."""
        rows = [(one.event_id, time.time(), one.model_dump_json()) for one in events]
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                before = self._database.total_changes
                self._database.executemany(
                    "INSERT INTO events (event_id, received, event) VALUES (?, ?, ?)"
                    " ON CONFLICT (event_id) DO NOTHING",
                    rows,
                )
                added = self._database.total_changes - before
                self._database.execute("COMMIT")
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
        return added

    def after(self, seq: int, limit: int) -> list[tuple[int, Event]]:
        """The next events behind `seq`, in the order in which they came."""
        return self._read("seq > ?", seq, limit)

    def not_folded(self, limit: int) -> list[tuple[int, Event]]:
        """The oldest events that are in no day folder yet."""
        return self._read("NOT folded AND seq > ?", 0, limit)

    def fold(self, first: int, last: int) -> None:
        """Remembers that what came from `first` to `last` is in its day folders, in one quick statement."""
        query = "UPDATE events SET folded = 1 WHERE seq BETWEEN ? AND ? AND NOT folded"
        with self._lock:
            self._database.execute(query, (first, last))

    def start_of(self, seconds: float) -> int:
        """The seq behind which everything lies that was received in the last `seconds`."""
        query = "SELECT coalesce(max(seq), 0) FROM events WHERE received < ?"
        with self._lock:
            return int(self._database.execute(query, (time.time() - seconds,)).fetchone()[0])

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _read(self, condition: str, seq: int, limit: int) -> list[tuple[int, Event]]:
        query = f"SELECT seq, event FROM events WHERE {condition} ORDER BY seq LIMIT ?"  # noqa: S608 - our own
        with self._lock:
            rows = self._database.execute(query, (seq, limit)).fetchall()
        # Validated when it came in; again it might have come to lie in the future by a clock that was set.
        return [(number, Event.model_construct(**_fields(text))) for number, text in rows]


def _fields(text: str) -> dict:
    fields = orjson.loads(text)
    return {**fields, "timestamp": dt.datetime.fromisoformat(fields["timestamp"].replace("Z", "+00:00"))}
