"""A warm worker that runs the fake step."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.processes import REPOSITORY
from schemas.home import Home

FAKE_STEP = "tests.pipelines.fake_step"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "a state folder with a long name" / ("x" * 100))


@pytest.fixture
def worker(home: Home) -> Iterator[subprocess.Popen]:
    with start_worker(home) as process:
        yield process
        process.terminate()


def worker_command(home: Home) -> list[str]:
    program = [sys.executable, "-m", "pipelines.worker", str(home.worker_socket)]
    return [*program, "--step", f"{FAKE_STEP}:main", "--preload", "--watch"]


def start_worker(home: Home) -> subprocess.Popen:
    """A worker of the fake step that listens."""
    process = subprocess.Popen(worker_command(home), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "warm after" in process.stdout.readline()
    return process


def wait_until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Fails where `true` does not become so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
