"""The supervisor: keeps a stack's processes alive, each in a process group of its own, and ends them all.

python -m pipelines.supervise HOME SERVICE…
"""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipelines.processes import REPOSITORY, die_with_parent, kill_group
from pipelines.services import API, Ports, Service, services
from pipelines.supervised import lock_file
from schemas.home import Home

LONGEST_DELAY = 60.0
STEADY_SECONDS = 60.0
"""A process that lived that long starts again at once, and its delays from the shortest."""
STOP_SECONDS = 15.0


class Supervised:
    """One service: its process, and when to try again after it died."""

    def __init__(self, service: Service, home: Home) -> None:
        self.service = service
        self.log = home.logs / f"{service.name}.log"
        self.pid_file = home.run / f"{service.name}.pid"
        self.delay = 1.0
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        self.again: float | None = None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.service.argv,
                cwd=REPOSITORY,
                env=self.service.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_gently_with_parent,
            )
        self.pid_file.write_text(f"{self.process.pid}\n")

    def tend(self) -> None:
        """Starts the process again some time after it died; the time doubles while it does not live long."""
        now = time.monotonic()
        if self.again is not None:
            if now >= self.again:
                self.start()
        elif self.process.poll() is not None:
            kill_group(self.process.pid)  # what it started and left behind
            steady = now - self.started > STEADY_SECONDS or self.process.returncode == 0
            self.delay = 1.0 if steady else min(2 * self.delay, LONGEST_DELAY)
            self.again = now + self.delay
            ended = f"{self.service.name} ended with {self.process.returncode}"
            _say(f"{ended}: again in {self.delay:.0f} s, see {self.log}")

    def stop(self, deadline: float) -> None:
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _say(f"{self.service.name} does not end: killed")
        kill_group(self.process.pid)
        self.process.wait()
        self.pid_file.unlink(missing_ok=True)


def supervise(home: Home, names: list[str]) -> None:
    """Runs the named services until SIGTERM; SystemExit where this home is supervised already."""
    ports = Ports.read(home) or Ports()
    listed = services(home, ports)
    supervised: list[Supervised] = []
    with lock_file(home).open("a+") as lock:  # not "w": who is refused must not empty the names
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"{home.root} is supervised already") from None
        lock.truncate(0)
        lock.write("\n".join(names))
        lock.flush()
        try:
            supervised.extend(Supervised(listed[name], home) for name in names)
            while True:
                time.sleep(0.3)
                for one in supervised:
                    one.tend()
        finally:
            deadline = time.monotonic() + STOP_SECONDS
            for asked in (False, True):  # tasks that end tell Airflow's API so
                ending = [one for one in supervised if (one.service.name == API) == asked]
                for one in ending:
                    kill_group(one.process.pid, signal.SIGTERM)
                for one in ending:
                    one.stop(deadline)


def _die_gently_with_parent() -> None:
    die_with_parent(signal.SIGTERM)


def _say(sentence: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), sentence, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    supervise(Home(Path(sys.argv[1])), sys.argv[2:])
