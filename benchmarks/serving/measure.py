"""One catalogue's rows of the table: the raw call, the server with and without batching, peers, a switch."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.serving import load, model, servers
from benchmarks.serving.load import Load, Question
from schemas.home import MODEL_NAME

CLIENTS = (1, 8, 32)
RAW, RAW_BATCH = "raw call, 1 row", "raw call, 32 rows"
PLAIN, BATCHING, SWITCH = "server", "server, batching", "switch under load, batching"


@dataclass(frozen=True)
class Row:
    """What so many clients saw of one way."""

    items: int
    way: str
    clients: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    answered: int
    per_second: float
    failed: int = 0
    cpu_ms: float = 0.0
    """Of the server's processes, a request."""
    memory_mb: int = 0


@dataclass(frozen=True)
class Start:
    """How long something takes until its first answer."""

    items: int
    what: str
    seconds: float


@dataclass
class Measured:
    """Grows as it goes."""

    rows: list[Row] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)

    def add(
        self, items: int, way: str, clients: int, seen: Load, cpu: float = 0.0, memory: float = 0.0
    ) -> None:
        middle, late, worst = (round(seen.quantile(share), 2) for share in (0.5, 0.99, 1.0))
        answered, rate = len(seen.milliseconds), round(seen.per_second, 1)
        each = round(cpu / max(answered, 1) * 1e3, 2)
        row = Row(items, way, clients, middle, late, worst, answered, rate, seen.failed, each, round(memory))
        print(row, flush=True)
        self.rows.append(row)

    def started(self, items: int, what: str, seconds: float) -> None:
        self.starts.append(Start(items, what, round(seconds, 2)))
        print(self.starts[-1], flush=True)


def catalogue(into: Measured, items: int, seconds: float, peers: list[str], scratch: Path) -> None:
    """Everything about a catalogue of so many items."""
    base = scratch / str(items) / "versions"
    model.write(base / "1", items)
    for way, rows in ((RAW, 1), (RAW_BATCH, 32)):
        took = model.raw_milliseconds(base / "1", rows, seconds)
        into.add(items, way, 1, Load(took, seconds=sum(took) / 1e3))
    users = model.shop().users
    for way in (PLAIN, BATCHING):
        with servers.embedded(base, users[0], batching=way == BATCHING) as running:
            into.started(items, f"{way}: start to first answer", running.start_seconds)
            _loads(into, items, way, servers.EMBEDDED, running, seconds)
    for name in peers:
        with servers.peer(name, base / "1", users[0], scratch) as running:
            into.started(items, f"{name}: start to first answer", running.start_seconds)
            _loads(into, items, name, servers.QUESTIONS[name], running, seconds)
    _switch(into, items, base, seconds)
    shutil.rmtree(base.parent)


def _loads(
    into: Measured, items: int, way: str, question: Question, running: servers.Running, seconds: float
) -> None:
    users = model.shop().users
    load.run(running.port, question, users, 8, min(1.0, seconds))
    for clients in CLIENTS:
        before = running.cpu_seconds
        seen = load.run(running.port, question, users, clients, seconds)
        into.add(items, way, clients, seen, running.cpu_seconds - before, running.megabytes)


def _switch(into: Measured, items: int, base: Path, seconds: float) -> None:
    """A new version appears under 32 clients; the load goes on until it has been answering for a while."""
    users = model.shop().users
    aside = base.parent / "aside"
    shutil.copytree(base / "1", aside)
    with servers.embedded(base, users[0], batching=True) as running:
        load.run(running.port, servers.EMBEDDED, users, 8, min(1.0, seconds))
        took: list[float] = []

        def push() -> None:
            time.sleep(seconds / 2)
            aside.rename(base / "2")
            took.append(_seconds_to_answer(running.port, 2, users[0]))

        pusher = threading.Thread(target=push)
        pusher.start()
        seen = load.run(running.port, servers.EMBEDDED, users, 32, max(2 * seconds, items / 50_000))
        pusher.join()
        into.add(items, SWITCH, 32, seen, memory=running.megabytes)
        into.started(items, "push under load to first answer of the new version", took[0])


def _seconds_to_answer(port: int, version: int, user: str) -> float:
    url = f"http://127.0.0.1:{port}/v1/models/{MODEL_NAME}/versions/{version}:predict"
    started = time.monotonic()
    with httpx.Client(timeout=60, trust_env=False) as client:
        while client.post(url, content=servers.EMBEDDED.body(user)).status_code != httpx.codes.OK:
            time.sleep(0.02)
    return time.monotonic() - started
