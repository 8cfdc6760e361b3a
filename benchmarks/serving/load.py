"""A closed-loop load generator: so many clients with one connection each, asking again when answered."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

from benchmarks.serving.model import USERS, user_id


@dataclass
class Load:
    """What the clients saw."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds


def run(host: str, port: int, path: str, clients: int, seconds: float) -> Load:
    """Asks for one user a request for so long; an answer that is not 200 or broken off is failed."""
    return asyncio.run(_run(host, port, path, clients, seconds))


async def _run(host: str, port: int, path: str, clients: int, seconds: float) -> Load:
    load, started = Load(), time.perf_counter()
    end = started + seconds
    await asyncio.gather(*(_client(load, host, port, path, number, end) for number in range(clients)))
    load.seconds = time.perf_counter() - started
    return load


async def _client(load: Load, host: str, port: int, path: str, number: int, end: float) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    asked = number * 37
    while time.perf_counter() < end:
        asked += 1
        body = json.dumps({"instances": [{"user_id": user_id(asked % USERS)}]}).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        started = time.perf_counter()
        try:
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = next(
                int(line.split(b":")[1])
                for line in answer.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            content = await reader.readexactly(size)
            ok = answer.startswith(b"HTTP/1.1 200") and b"item-" in content
        except (OSError, asyncio.IncompleteReadError):
            ok = False
            reader, writer = await asyncio.open_connection(host, port)
        if ok:
            load.milliseconds.append((time.perf_counter() - started) * 1e3)
        else:
            load.failed += 1
    writer.close()
