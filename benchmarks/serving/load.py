"""A closed-loop load generator: so many clients with one connection each, asking again when answered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """How a server is asked for one user's list."""

    path: str
    body: Callable[[str], bytes]
    """The request's body for a user id."""


@dataclass
class Load:
    """What the clients saw."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def __add__(self, other: Load) -> Load:
        """Both, one after the other."""
        took = self.milliseconds + other.milliseconds
        return Load(took, self.failed + other.failed, self.seconds + other.seconds)

    def quantile(self, share: float) -> float:
        """Milliseconds; infinite where nothing was answered."""
        ordered = sorted(self.milliseconds) or [float("inf")]
        return ordered[int(share * (len(ordered) - 1))]

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds


def run(port: int, question: Question, users: list[str], clients: int, seconds: float) -> Load:
    """Asks for so long; an answer that is not 200 with a list, or broken off, is failed."""
    return asyncio.run(_run(port, question, users, clients, seconds))


async def _run(port: int, question: Question, users: list[str], clients: int, seconds: float) -> Load:
    load, started = Load(), time.perf_counter()
    requests = [_request(port, question, user) for user in users]
    turns = [itertools.islice(itertools.cycle(requests), 37 * n, None) for n in range(clients)]
    await asyncio.gather(*(_client(load, port, turn, started + seconds) for turn in turns))
    load.seconds = time.perf_counter() - started
    return load


def _request(port: int, question: Question, user: str) -> bytes:
    body = question.body(user)
    head = (
        f"POST {question.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(load: Load, port: int, requests: itertools.islice, end: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < end:
        started = time.perf_counter()
        try:
            writer.write(next(requests))
            ok = await _answered(reader)
        except (OSError, asyncio.IncompleteReadError, StopIteration):
            ok = False
        if ok:
            load.milliseconds.append((time.perf_counter() - started) * 1e3)
        else:
            load.failed += 1
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def _answered(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    content = await reader.readexactly(size)
    return head.startswith(b"HTTP/1.1 200") and b"item_id" in content
