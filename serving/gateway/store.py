"""The latest events of each user: Redis, or SQLite where there is none. One interface, one behaviour."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_MARK = "everlearn:recent"


class StoreUnavailableError(RuntimeError):
    """The store does not answer: one sentence."""


class StoreEmptiedError(StoreUnavailableError):
    """The store came back without what it had."""


@dataclass(frozen=True)
class Recent:
    """What a store keeps of an event; `time` in microseconds since the epoch."""

    user_id: str
    event_id: str
    item_id: str
    behavior: str
    time: int


class RecentStore(Protocol):
    """Keeps the `keep` latest events of a user until `seconds` after the last append."""

    def begin(self) -> None:
        """Before the store is filled from the start. StoreUnavailableError."""

    def append(self, events: Sequence[Recent]) -> None:
        """All or nothing; an event that is there already stays once. StoreUnavailableError."""

    def recent(self, user_id: str) -> list[Recent]:
        """Oldest first. StoreUnavailableError; StoreEmptiedError if it must be filled again first."""

    def close(self) -> None: ...


class RedisStore:
    """A sorted set a user: score is the time, the member holds the rest."""

    def __init__(self, url: str, keep: int, seconds: int, timeout: float) -> None:
        self._keep, self._seconds = keep, seconds
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # a connection that the server closed meanwhile
        )

    def begin(self) -> None:
        try:
            self._redis.set(_MARK, 1)  # gone with everything else where Redis starts afresh
        except redis.RedisError as error:
            raise StoreUnavailableError(f"Redis does not answer: {error}") from None

    def append(self, events: Sequence[Recent]) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        for user, own in groupby(sorted(events, key=_user), key=_user):
            members = {
                orjson.dumps([one.time, one.item_id, one.behavior, one.event_id]): one.time for one in own
            }
            pipeline.zadd(_key(user), members)
            pipeline.zremrangebyrank(_key(user), 0, -self._keep - 1)
            pipeline.expire(_key(user), self._seconds)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            raise StoreUnavailableError(f"Redis does not answer: {error}") from None

    def recent(self, user_id: str) -> list[Recent]:
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.exists(_MARK)
        pipeline.zrange(_key(user_id), 0, -1)
        try:
            marked, members = pipeline.execute()
        except redis.RedisError as error:
            raise StoreUnavailableError(f"Redis does not answer: {error}") from None
        if not marked:
            raise StoreEmptiedError("Redis has lost what it had")
        found = (orjson.loads(member) for member in members)
        return [Recent(user_id, event, item, behavior, at) for at, item, behavior, event in found]

    def close(self) -> None:
        self._redis.close()


class SqliteStore:
    """The same in one file, for a gateway without Redis."""

    def __init__(self, path: Path, keep: int, seconds: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._keep, self._seconds = keep, seconds
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # the inbox has every event
        self._database.executescript(
            "CREATE TABLE IF NOT EXISTS recent (user_id TEXT, time INTEGER, item_id TEXT, behavior TEXT,"
            " event_id TEXT, PRIMARY KEY (user_id, time, event_id)) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS users (user_id TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;"
            "CREATE INDEX IF NOT EXISTS expiry ON users (until);"
        )

    def begin(self) -> None:
        pass

    def append(self, events: Sequence[Recent]) -> None:
        now = time.time()
        rows = [(one.user_id, one.time, one.item_id, one.behavior, one.event_id) for one in events]
        users = sorted({one.user_id for one in events})
        gone = "user_id IN (SELECT user_id FROM users WHERE until <= ?)"
        try:
            with self._lock, self._database as database:
                database.execute(f"DELETE FROM recent WHERE {gone}", (now,))  # noqa: S608 - our own words
                database.execute("DELETE FROM users WHERE until <= ?", (now,))
                database.executemany("INSERT OR IGNORE INTO recent VALUES (?, ?, ?, ?, ?)", rows)
                database.executemany(
                    "INSERT OR REPLACE INTO users VALUES (?, ?)",
                    [(user, now + self._seconds) for user in users],
                )
                database.executemany(
                    "DELETE FROM recent WHERE user_id = ?1 AND (time, event_id) NOT IN (SELECT time, event_id"
                    " FROM recent WHERE user_id = ?1 ORDER BY time DESC, event_id DESC LIMIT ?2)",
                    [(user, self._keep) for user in users],
                )
        except sqlite3.Error as error:
            raise StoreUnavailableError(f"the store of recent events fails: {error}") from None

    def recent(self, user_id: str) -> list[Recent]:
        query = (
            "SELECT user_id, event_id, item_id, behavior, time FROM recent JOIN users USING (user_id)"
            " WHERE user_id = ? AND until > ? ORDER BY time, event_id"
        )
        try:
            with self._lock:
                rows = self._database.execute(query, (user_id, time.time())).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailableError(f"the store of recent events fails: {error}") from None
        return [Recent(*row) for row in rows]

    def close(self) -> None:
        with self._lock:
            self._database.close()


def _user(event: Recent) -> str:
    return event.user_id


def _key(user_id: str) -> str:
    return f"everlearn:recent:{user_id}"
