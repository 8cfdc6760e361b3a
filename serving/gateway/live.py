"""Live histories: what is durable reaches the store, at once or when the store is back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from serving.gateway.event import Event, wall_micros
from serving.gateway.inbox import Inbox
from serving.gateway.store import Recent, RecentStore, StoreEmptiedError, StoreUnavailableError

_CHUNK = 1000


class Live:
    """The inbox feeds the store, in order; a store that lost what it had is fed again."""

    def __init__(self, inbox: Inbox, store: RecentStore, seconds: float, zone: ZoneInfo) -> None:
        """`seconds`: how far back the store is filled when it is new, or comes back."""
        self._inbox, self._store, self._seconds, self._zone = inbox, store, seconds, zone
        self._lock = threading.Lock()
        self._fed: int | None = None

    def post(self, events: Sequence[Event]) -> tuple[int, bool]:
        """How many events were new, and whether they are live already; durable in any case."""
        added = self._inbox.add(events)
        try:
            self._feed()
        except StoreUnavailableError:
            return added, False
        return added, True

    def recent(self, user_id: str) -> list[Recent]:
        """The user's latest events, oldest first; StoreUnavailableError."""
        if self._fed is None:
            self._feed()
        try:
            return self._store.recent(user_id)
        except StoreEmptiedError:
            self._fed = None
            self._feed()
            return self._store.recent(user_id)

    def _feed(self) -> None:
        with self._lock:
            fed = self._fed
            self._fed = None  # until all of it is there
            if fed is None:
                fed = self._inbox.start_of(self._seconds)
                self._store.begin()
            while rows := self._inbox.after(fed, _CHUNK):
                self._store.append([self._kept(event) for _, event in rows])
                fed = rows[-1][0]
            self._fed = fed

    def _kept(self, event: Event) -> Recent:
        at = wall_micros(event.timestamp, self._zone)
        return Recent(event.user_id, event.event_id, event.item_id, event.behavior, at)
