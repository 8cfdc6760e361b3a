"""Starting the embedded server for tests, and talking to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A server process and its address."""

    url: str
    process: subprocess.Popen
    log: Path


@contextlib.contextmanager
def started(aside: Path, *flags: str) -> Iterator[Running]:
    """A server on a free port until the context ends; `aside` takes its log and port file."""
    aside.mkdir(parents=True, exist_ok=True)
    port_file, log = aside / "port", aside / "log"
    command = [sys.executable, "-m", "serving", "--rest_api_port=0", f"--port_file={port_file}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--stop_at_stdin_eof", *flags],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
        )
    try:
        wait_for(lambda: port_file.exists() or process.poll() is not None, 60)
        assert port_file.exists(), log.read_text()
        yield Running(f"http://127.0.0.1:{port_file.read_text()}", process, log)
    finally:
        process.kill()
        process.wait()


def running(
    base_path: Path, name: str, aside: Path, *flags: str
) -> contextlib.AbstractContextManager[Running]:
    """A server of one model."""
    return started(aside, f"--model_name={name}", f"--model_base_path={base_path}", *flags)


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    """Until the condition holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.02)


def states(url: str, name: str) -> dict[int, str]:
    """State by version, as the status answer tells; nothing for a model that is not there."""
    answer = httpx.get(f"{url}/v1/models/{name}").json()
    return {int(one["version"]): one["state"] for one in answer.get("model_version_status", [])}
