"""A model server in a process of its own, for as long as a context lasts."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSION = 1


class ServerError(RuntimeError):
    """The server did not start, or did not answer: one sentence."""


@contextlib.contextmanager
def serving(saved_model: Path, model_name: str, seconds: float) -> Iterator[int]:
    """The loopback port of a server that has the SavedModel AVAILABLE; ServerError after `seconds`.

    The server ends with the context, and with this process, however that ends.
    """
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        base, log, port_file = Path(folder, "base"), Path(folder, "log"), Path(folder, "port")
        base.mkdir()
        (base / str(VERSION)).symlink_to(saved_model.absolute(), target_is_directory=True)
        flags = [
            f"--model_name={model_name}",
            f"--model_base_path={base}",
            "--rest_api_port=0",
            f"--port_file={port_file}",
            "--file_system_poll_wait_seconds=0",
            "--max_num_load_retries=0",
            "--stop_at_stdin_eof",
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "serving", *flags],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                cwd=ROOT,
                env=_environment(),
                start_new_session=True,
            )
        try:
            yield _wait(process, port_file, log, model_name, time.monotonic() + seconds)
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    """This process's, with the project importable and TensorFlow quiet and on the CPU."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": path}


def _wait(process: subprocess.Popen, port_file: Path, log: Path, model_name: str, end: float) -> int:
    """The port opens when the model can answer; the status says so."""
    while not port_file.exists():
        if process.poll() is not None:
            raise ServerError(f"The model server ended before it served: {_last_words(log)}")
        if time.monotonic() > end:
            raise ServerError(f"The model server was not ready in time: {_last_words(log)}")
        time.sleep(0.02)
    port = int(port_file.read_text())
    state = _state(port, model_name)
    if state != "AVAILABLE":
        raise ServerError(f"The model server says {state} instead of AVAILABLE.")
    return port


def _state(port: int, model_name: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/v1/models/{model_name}/versions/{VERSION}")
        status = json.loads(connection.getresponse().read())
        return status["model_version_status"][0]["state"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise ServerError(f"The model server gave no status: {error}.") from None
    finally:
        connection.close()


def _last_words(log: Path) -> str:
    """The last error that the server logged, else its last line."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.split(" ERROR ", 1)[1] for line in lines if " ERROR " in line]
    return (errors or lines or ["it said nothing."])[-1]


def _stop(process: subprocess.Popen) -> None:
    """Ends the server and whatever it started: nothing is lost with it, so at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin:
        process.stdin.close()
    process.wait()
