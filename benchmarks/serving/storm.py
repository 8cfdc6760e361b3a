"""python -m benchmarks.serving.storm [--seconds 5] [--popular]

What an application sees of the gateway while things break: versions are switched, one is damaged, Redis
and the model server are killed with SIGKILL and started again by a supervisor. Sixteen clients post events
and ask for lists all the time. The exit status is 1 where an answer was something else than a list, a
receipt or 503 with Retry-After, where one took longer than time-outs and tries allow, or where a receipt was
forgotten.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import httpx

from benchmarks.serving import model
from benchmarks.serving.servers import ROOT, free_port
from schemas.home import MODEL_NAME, Home

CLIENTS, ITEMS = 16, 10_000
LONGEST_SECONDS = 10.0
"""Three tries of a second each for the version and for the list, and what a busy machine adds."""


class Supervised:
    """A process that is started again whenever it ends, as a service manager does."""

    def __init__(self, command: list[str], log: Path, **environment: str) -> None:
        self._command, self._log = command, log
        self._environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **environment}
        self._wanted = True
        self._start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=ROOT, env=self._environment
            )

    def _watch(self) -> None:
        while self._wanted:
            self.process.wait()
            time.sleep(1)
            if self._wanted:
                self._start()

    def kill(self, *, for_good: bool = False) -> None:
        self._wanted = self._wanted and not for_good
        self.process.send_signal(signal.SIGKILL)


@dataclass
class Seen:
    """What the clients saw in each phase."""

    phase: str = "calm"
    answers: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    receipts: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, answer: httpx.Response | None, seconds: float, phase: str) -> None:
        status = answer.status_code if answer is not None else 0
        source = answer.json()["source"] if answer is not None and kind == "list" and status == 200 else ""
        self.answers[phase][f"{kind} {status} {source}".strip()] += 1
        self.slowest[phase] = max(self.slowest[phase], seconds)
        fine = status == 200 or (answer is not None and status == 503 and "retry-after" in answer.headers)
        if not fine or seconds > LONGEST_SECONDS:
            self.wrong.append(f"{phase}: {kind} answered {status} after {seconds:.1f} s")


async def _client(seen: Seen, url: str, number: int, stop: asyncio.Event) -> None:
    user = model.shop().users[number]
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        for turn in itertools.count():
            if stop.is_set():
                return
            event = {"event_id": f"{number}-{turn}", "user_id": user, "behavior": "click"}
            event["item_id"] = f"i{turn % 400:06d}"
            requests: dict[str, Callable] = {
                "event": lambda event=event: http.post("/events", json=event),
                "list": lambda: http.get(f"/recommendations/{user}?k=10"),
            }
            for kind, ask in requests.items():
                phase, started = seen.phase, time.monotonic()
                try:
                    answer = await ask()
                except httpx.TransportError:
                    answer = None
                seen.note(kind, answer, time.monotonic() - started, phase)
                if kind == "event" and answer is not None and answer.status_code == 200:
                    seen.receipts.add(event["event_id"])


@contextlib.contextmanager
def _stack(home: Home, scratch: Path, *, popular: bool) -> Iterator[tuple[str, Supervised, Supervised]]:
    """The gateway's address, the model server and Redis."""
    ports = [str(free_port()) for _ in range(3)]
    serving, gateway, redis = ports
    base = f"--model_base_path={home.serving}"
    files = ("--save", "", "--appendonly", "no", "--dir", str(scratch))
    settings = {
        "EVERLEARN_HOME": str(home.root),
        "EVERLEARN_GATEWAY_PORT": gateway,
        "EVERLEARN_GATEWAY_MODEL_URL": f"http://127.0.0.1:{serving}/v1/models/{MODEL_NAME}",
        "EVERLEARN_GATEWAY_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "EVERLEARN_GATEWAY_RATE": "100000",
        "EVERLEARN_GATEWAY_BURST": "100000",
        "EVERLEARN_GATEWAY_POPULAR": str(popular).lower(),
    }
    flags = [f"--rest_api_port={serving}", "--enable_batching", "--load_retry_interval_micros=1000000"]
    started = [
        Supervised(
            [sys.executable, "-m", "serving", f"--model_name={MODEL_NAME}", base, *flags],
            scratch / "server.log",
        ),
        Supervised(["redis-server", "--port", redis, "--bind", "127.0.0.1", *files], scratch / "redis.log"),
        Supervised([sys.executable, "-m", "serving.gateway"], scratch / "gateway.log", **settings),
    ]
    url = f"http://127.0.0.1:{gateway}"
    try:
        _until(lambda: httpx.get(f"{url}/recommendations/nobody").status_code == 200)
        yield url, started[0], started[1]
    finally:
        for one in started:
            one.kill(for_good=True)


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if condition():
                return
        time.sleep(0.2)
    raise SystemExit(f"not ready after {seconds:g} s")


def _kill(*processes: Supervised) -> None:
    for one in processes:
        one.kill()


def _push(home: Home, aside: Path, version: int, *, damaged: bool = False) -> None:
    shutil.copytree(aside, home.serving / f"{version}.new")
    if damaged:
        weights = home.serving / f"{version}.new" / "variables" / "variables.data-00000-of-00001"
        with weights.open("r+b") as file:
            file.seek(weights.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
    (home.serving / f"{version}.new").rename(home.serving / str(version))


async def _storm(seen: Seen, url: str, phases: list[tuple[str, Callable[[], None]]], seconds: float) -> None:
    stop = asyncio.Event()
    clients = [asyncio.create_task(_client(seen, url, number, stop)) for number in range(CLIENTS)]
    for name, act in phases:
        seen.phase = name
        await asyncio.to_thread(act)
        await asyncio.sleep(seconds)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*clients), 60)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each phase")
    parser.add_argument("--popular", action="store_true", help="popular items instead of 503")
    options = parser.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        scratch, home = Path(folder), Home(Path(folder) / "home")
        model.write(scratch / "aside", ITEMS)
        home.serving.mkdir(parents=True)
        _push(home, scratch / "aside", 1)
        with _stack(home, scratch, popular=options.popular) as (url, server, redis):
            phases: list[tuple[str, Callable[[], None]]] = [
                ("calm", lambda: None),
                ("a new version", lambda: _push(home, scratch / "aside", 2)),
                ("a damaged version", lambda: _push(home, scratch / "aside", 3, damaged=True)),
                ("a sound one after it", lambda: _push(home, scratch / "aside", 4)),
                ("Redis killed", redis.kill),
                ("model server killed", server.kill),
                ("both killed", lambda: _kill(redis, server)),
                ("calm again", lambda: time.sleep(10)),
            ]
            asyncio.run(_storm(seen, url, phases, options.seconds))
        with sqlite3.connect(home.inbox) as inbox:
            kept = {row[0] for row in inbox.execute("SELECT event_id FROM events")}
    for phase, answers in seen.answers.items():
        print(f"{phase:22} slowest {seen.slowest[phase]:.2f} s  {json.dumps(answers)}")
    lost = seen.receipts - kept
    print(f"{len(seen.receipts)} receipts, {len(lost)} of them forgotten; {len(seen.wrong)} wrong answers")
    print("\n".join(seen.wrong[:20]))
    return int(bool(seen.wrong or lost))


if __name__ == "__main__":
    sys.exit(main())
