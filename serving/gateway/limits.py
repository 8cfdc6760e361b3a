"""What one client may send: size of a body, requests a second."""

from __future__ import annotations

import threading
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLIENTS = 10_000
"""Clients that are remembered; beyond, the ones that were not seen for longest are forgotten."""


class TooLargeError(Exception):
    """A body beyond the limit."""


class BodyLimit:
    """ASGI middleware: 413 for a body that is larger, announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limit:
                detail = {"detail": f"the body is larger than {self._limit} bytes"}
                await JSONResponse(detail, 413, headers={"Connection": "close"})(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        whole: Message = {"type": "http.request", "body": b"".join(chunks), "more_body": False}
        pending = [whole]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)


class Rate:
    """A token bucket a client; for any thread."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str) -> float:
        """0 if the client may go on, else the seconds until it may."""
        now = time.monotonic()
        with self._lock:
            tokens, at = self._buckets.pop(client, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - at) * self._rate)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - allowed, now)  # at the end: dicts keep the order of insertion
            if len(self._buckets) > _CLIENTS:
                del self._buckets[next(iter(self._buckets))]
        return 0.0 if allowed else (1 - tokens) / self._rate
