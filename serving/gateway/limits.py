"""What one client may send: size of a body, requests a second."""

from __future__ import annotations

import asyncio
import threading
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLIENTS = 10_000
"""Clients that are remembered; beyond, the ones that were not seen for longest are forgotten."""


class TooLargeError(Exception):
    """A body beyond the limit."""


class BodyLimit:
    """ASGI middleware: 413 for a body that is larger, announced or not, 408 for one that takes longer."""

    def __init__(self, app: ASGIApp, limit: int, seconds: float) -> None:
        self._app, self._limit, self._seconds = app, limit, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(self._body(receive), self._seconds)
        except TooLargeError:
            await _refuse(413, f"the body is larger than {self._limit} bytes", scope, receive, send)
            return
        except asyncio.TimeoutError:
            await _refuse(408, f"the body took longer than {self._seconds:g} s", scope, receive, send)
            return
        if body is None:
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)

    async def _body(self, receive: Receive) -> bytes | None:
        """All of it; None where the client went away. TooLargeError."""
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limit:
                raise TooLargeError
            if not message.get("more_body"):
                return b"".join(chunks)


async def _refuse(status: int, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse({"detail": detail}, status, headers={"Connection": "close"})
    await answer(scope, receive, send)


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
