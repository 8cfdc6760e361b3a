"""One run at a time: a file that says whose run it is. Standard library only: Airflow's tasks import this.

Airflow's tasks are processes of their own, so a lock that ends with its process cannot say "this run is
still going on": the lease lasts from one step to the next. It ends when its run ends, when its owner is
gone, or when nothing has been heard of an Airflow run for a while. It is a courtesy that keeps two runs from
wasting each other's work; that no run replaces a model that it was not planned against is the push's guard.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines.processes import write_whole
from schemas.home import Home

SILENT_SECONDS = 20 * 60
"""An Airflow run of which nothing is heard for so long is over: twice the longest wait before a retry."""
POLL_SECONDS = 2.0


class LeaseError(RuntimeError):
    """Another run is under way; the sentence names it."""


def take(
    home: Home,
    owner: str,
    *,
    lasting: bool,
    wait_seconds: float = 0,
    say: Callable[[str], None] = print,
) -> None:
    """Makes `owner` the one whose run it is, or says that it still is; LeaseError where another's lasts.

    lasting: an Airflow run, which goes on when this process ends; otherwise the lease ends with the
    process. With `wait_seconds` the other's end is waited for.
    """
    deadline = time.monotonic() + wait_seconds
    told = False
    while (other := _try(home, owner, lasting)) is not None:
        if time.monotonic() >= deadline:
            raise LeaseError(f"{other} is using {home.root}: wait for it to end, then run this again")
        if not told:
            say(f"Waiting for {other} to end.")
            told = True
        time.sleep(POLL_SECONDS)


def release(home: Home, owner: str) -> None:
    """The run of `owner` is over; nothing happens where the lease is another's by now."""
    with _alone(home) as file:
        lease = _read(file)
        if lease and lease["owner"] == owner:
            file.unlink()


def of_airflow(run_id: str) -> str:
    """The owner's name of an Airflow run: a newer attempt of the same run is the same owner."""
    return f"the Airflow run {run_id}"


@contextlib.contextmanager
def held(home: Home, what: str) -> Iterator[None]:
    """This process has the lease as long as the context lasts; LeaseError at once where another has it."""
    owner = f"{what} (process {os.getpid()})"
    take(home, owner, lasting=False)
    try:
        yield
    finally:
        release(home, owner)


def _try(home: Home, owner: str, lasting: bool) -> str | None:
    """None where the lease is now `owner`'s, else whose it is."""
    with _alone(home) as file:
        lease = _read(file)
        if lease and lease["owner"] != owner and _lasts(lease):
            return lease["owner"]
        mine = {"owner": owner, "lasting": lasting, "process": os.getpid(), "started": _started(os.getpid())}
        write_whole(file, json.dumps(mine | {"heard": time.time()}))
        return None


def _lasts(lease: dict[str, Any]) -> bool:
    if _started(lease["process"]) == lease["started"]:
        return True
    return lease["lasting"] and time.time() - lease["heard"] < SILENT_SECONDS


def _started(process: int) -> str | None:
    """When a process was started, in the kernel's ticks: its number alone may be another's by now."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _read(file: Path) -> dict[str, Any] | None:
    """None where there is no lease, or only what a power cut left of one."""
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[Path]:
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / "lease.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home.run / "lease.json"
