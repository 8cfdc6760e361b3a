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

ALONE, MANY = (1,), (8, 32)
ROUNDS = 8
"""In how many turns the raw call and the server are measured, so that neither has the quieter machine."""
RAW, RAW_BATCH = "raw call, 1 row", "raw call, 32 rows"
PLAIN, BATCHING, SWITCH = "server", "server, batching", "switch under load, batching"
AT_ONCE = "server, batching at once"


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
    added: dict[int, list[float]] = field(default_factory=dict)
    """Catalogue -> what the server adds to the raw call at p50, in ms, each time that both were measured."""

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
    raw = model.RawCall(base / "1")
    users = model.shop().users
    with servers.embedded(base, users[0]) as running:
        into.started(items, f"{PLAIN}: start to first answer", running.start_seconds)
        _in_turn(into, items, raw, running, seconds)
        _loads(into, items, PLAIN, servers.EMBEDDED, running, seconds, MANY)
    into.add(items, RAW_BATCH, 1, _called(raw, 32, seconds))
    for way, parameters in ((AT_ONCE, servers.AT_ONCE), (BATCHING, servers.GATHER)):
        with servers.embedded(base, users[0], parameters) as running:
            into.started(items, f"{way}: start to first answer", running.start_seconds)
            _loads(into, items, way, servers.EMBEDDED, running, seconds)
    for name in peers:
        with servers.peer(name, base / "1", users[0], scratch) as running:
            into.started(items, f"{name}: start to first answer", running.start_seconds)
            _loads(into, items, name, servers.QUESTIONS[name], running, seconds)
    _switch(into, items, base, seconds)
    shutil.rmtree(base.parent)


def _called(raw: model.RawCall, rows: int, seconds: float) -> Load:
    took = raw.milliseconds(rows, seconds)
    return Load(took, seconds=sum(took) / 1e3)


def _in_turn(
    into: Measured, items: int, raw: model.RawCall, running: servers.Running, seconds: float
) -> None:
    """The raw call and one client of the server, one after the other, again and again."""
    users = model.shop().users
    load.run(running.port, servers.EMBEDDED, users, 8, min(1.0, seconds))
    called, asked, burnt = Load(), Load(), 0.0
    for _ in range(ROUNDS):
        call = _called(raw, 1, seconds / 2)
        before = running.cpu_seconds
        seen = load.run(running.port, servers.EMBEDDED, users, 1, seconds / 2)
        burnt += running.cpu_seconds - before
        into.added.setdefault(items, []).append(seen.quantile(0.5) - call.quantile(0.5))
        called += call
        asked += seen
    into.add(items, RAW, 1, called)
    into.add(items, PLAIN, 1, asked, burnt, running.megabytes)


def _loads(
    into: Measured,
    items: int,
    way: str,
    question: Question,
    running: servers.Running,
    seconds: float,
    of: tuple[int, ...] = (*ALONE, *MANY),
) -> None:
    users = model.shop().users
    load.run(running.port, question, users, 8, min(1.0, seconds))
    for clients in of:
        before = running.cpu_seconds
        seen = load.run(running.port, question, users, clients, seconds)
        into.add(items, way, clients, seen, running.cpu_seconds - before, running.megabytes)


def _switch(into: Measured, items: int, base: Path, seconds: float) -> None:
    """A new version appears under 32 clients; the load goes on until it has been answering for a while."""
    users = model.shop().users
    aside = base.parent / "aside"
    shutil.copytree(base / "1", aside)
    with servers.embedded(base, users[0], servers.GATHER) as running:
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
