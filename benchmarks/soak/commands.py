"""`everlearn` as its user starts it, in processes that can be killed at any moment."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipelines.anatomy import STEPS
from pipelines.processes import REPOSITORY, die_with_parent, kill_group
from schemas.home import Home

DONE = re.compile(r"^ +[\d.]+ s +\w+ +(\w+)", re.MULTILINE)
"""The line that `everlearn run` prints for a step that is done."""


@dataclass
class Ran:
    """A command, run until it came to its own end."""

    status: int
    said: str
    """What it printed in the end; its error where it failed."""
    seconds: float
    """From the first start to the end, killed attempts among them."""
    killed_in: list[str] = field(default_factory=list)
    """The step that each kill struck, or where between them."""


class Killer:
    """A number of SIGKILLs, spread over the runs to come: each strikes at a random moment of a usual run."""

    def __init__(self, kills: int, runs: int, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 3])
        self.left, self.runs = kills, runs

    def moments(self, usual: float) -> list[float]:
        """Seconds after its start at which the next run is killed, one an attempt; often none."""
        kills = self.rng.binomial(self.left, 1 / self.runs) if self.runs > 1 else self.left
        self.runs -= 1
        return [float(moment) for moment in self.rng.uniform(0, usual, kills)]


def run_until_done(home: Home, arguments: list[str], killer: Killer | None = None, usual: float = 0) -> Ran:
    """Runs the command and kills it at the killer's moments, then runs it again, until it ends by itself."""
    started = time.monotonic()
    killed_in: list[str] = []
    for moment in [*(killer.moments(usual) if killer else []), None]:
        log = home.root / "soak.log"
        with log.open("w") as out, _everlearn(home, arguments, out.fileno()) as process:
            try:
                process.wait(moment)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed_in.append(_where(log.read_text()))
                if killer:
                    killer.left -= 1
    return Ran(process.returncode, log.read_text().strip(), time.monotonic() - started, killed_in)


@contextlib.contextmanager
def server(home: Home, port: int) -> Iterator[str]:
    """`everlearn serve` for as long as the context lasts; its address."""
    with (home.root / "serve.log").open("w") as out:
        process = _everlearn(home, ["serve", "--port", str(port)], out.fileno())
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            kill_group(process.pid)
            process.wait()


def _everlearn(home: Home, arguments: list[str], out: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "EVERLEARN_HOME": str(home.root), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def _where(log: str) -> str:
    """The step that was under way, from what was printed until then."""
    done = DONE.findall(log)
    if not done:
        return STEPS[0].node if "learning" in log else "start"
    places = [step.node for step in STEPS]
    following = places.index(done[-1]) + 1
    return places[following] if following < len(places) else "end"


def sentence(ran: Ran) -> str:
    """The last line: of a failed command its error."""
    lines = ran.said.splitlines()
    return lines[-1] if lines else f"it ended with status {ran.status} and said nothing"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def size_of(folder: Path) -> int:
    """Bytes on disk, hard links once."""
    files = {(stat.st_dev, stat.st_ino): stat.st_blocks * 512 for stat in _stats(folder)}
    return sum(files.values())


def _stats(folder: Path) -> Iterator[os.stat_result]:
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            yield path.lstat()
