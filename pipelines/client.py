"""Asks for one step: a fork of the warm worker where one answers, a plain process where none does.

Standard library only: Airflow's tasks import this in an environment without any of the pipeline's libraries.

A request is one line of JSON. The answer is what the step prints, line by line, and at last a line that
begins with END and holds {"status": s}: the step's exit status, negative for the signal that killed it, or
null where the worker declines because its code is out of date.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipelines.environment import SWITCHES
from pipelines.processes import REPOSITORY, die_with_parent, socket_address

END = "\0"
PYTHON = REPOSITORY / ".venv" / "bin" / "python"
STEP = "pipelines.step"


class StepError(RuntimeError):
    """A step that failed, in the step's own last sentence; or what became of the process that ran it."""


def run_step(home: Path, argv: list[str], on_line: Callable[[str], None]) -> dict[str, Any]:
    """Runs `pipelines.step` with `argv` for the state folder `home`; the last JSON object it prints.

    Every other line goes to `on_line` as it comes. StepError where the step fails or its process dies. When
    the calling process is killed the step is killed with it.
    """
    environment = {name: value for name, value in os.environ.items() if name.startswith("EVERLEARN_")}
    environment["EVERLEARN_HOME"] = str(home)
    heard = _Heard(on_line)
    status = _warm(home / "run" / "worker.sock", argv, environment, heard)
    if status is None:
        status = _plain(argv, environment, heard)
    if status < 0:
        raise StepError(f"{_name(argv)} was killed by {_signal(-status)}: run it again")
    if status > 0:
        raise StepError(heard.last or f"{_name(argv)} ended with status {status} and said nothing")
    if heard.outcome is None:
        raise StepError(f"{_name(argv)} ended well but printed no outcome")
    return heard.outcome


class _Heard:
    """What a step has printed so far: the last JSON object, and the last line that is none."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.on_line = on_line
        self.outcome: dict[str, Any] | None = None
        self.last = ""

    def line(self, text: str) -> None:
        text = text.rstrip()
        if text.startswith("{"):
            try:
                self.outcome = json.loads(text)
            except ValueError:
                pass
            else:
                return
        if text:
            self.last = text
            self.on_line(text)


def _warm(address: Path, argv: list[str], environment: dict[str, str], heard: _Heard) -> int | None:
    """The step's status from the worker; None where no worker answers or it declines."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with socket_address(address) as name:
                connection.connect(name)
            request = json.dumps({"argv": argv, "environment": environment}) + "\n"
            connection.sendall(request.encode())
        except OSError:
            return None
        with connection.makefile(encoding="utf-8", errors="replace") as answer:
            for line in _until_reset(answer):
                printed, end, status = line.partition(END)
                heard.line(printed)
                if end:
                    return json.loads(status)["status"]
    raise StepError(f"the warm worker died while it ran {_name(argv)}: run it again")


def _until_reset(answer: Iterable[str]) -> Iterable[str]:
    try:
        yield from answer
    except ConnectionError:
        return


def _plain(argv: list[str], environment: dict[str, str], heard: _Heard) -> int:
    """The step's status from a process of its own; slower by the imports, else the same."""
    heard.on_line("No warm worker answers: running the step in a plain process.")
    with subprocess.Popen(
        [str(PYTHON), "-W", "ignore::FutureWarning", "-m", STEP, *argv],
        cwd=REPOSITORY,
        env=SWITCHES | _plain_environment() | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.line(line)
        return process.wait()


def _plain_environment() -> dict[str, str]:
    """The caller's environment without what belongs to its own Python and to Airflow."""
    foreign = ("AIRFLOW", "PYTHON", "VIRTUAL_ENV", "EVERLEARN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _name(argv: list[str]) -> str:
    return f"the step {argv[-1] if argv[0] == 'node' else argv[0]}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
