"""The servers that are compared: the embedded one and its peers, each in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.serving.load import Question
from schemas.home import MODEL_NAME

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
_ENVIRONMENTS = ROOT / ".everlearn" / "peers"
_START_SECONDS = 120.0
EMBEDDED = Question(
    f"/v1/models/{MODEL_NAME}:predict", lambda user: json.dumps({"instances": [{"user_id": user}]}).encode()
)
AT_ONCE = "max_batch_size { value: 32 }"
"""What has come while the model was busy is answered together; nobody waits for others."""
GATHER = f"{AT_ONCE} batch_timeout_micros {{ value: 1000 }}"
"""As the peers are told, too."""
QUESTIONS = {
    "litserve": Question("/predict", lambda user: json.dumps({"user_id": user}).encode()),
    "bentoml": Question("/recommend", lambda user: json.dumps({"user_id": [user]}).encode()),
    "mlserver": Question(
        f"/v2/models/{MODEL_NAME}/infer",
        lambda user: json.dumps(
            {"inputs": [{"name": "user_id", "datatype": "BYTES", "shape": [1, 1], "data": [user]}]}
        ).encode(),
    ),
}


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    port: int
    process: psutil.Process
    start_seconds: float
    """From the start of its process to its first answer."""

    @property
    def megabytes(self) -> float:
        """What its processes hold, shared pages counted once each."""
        return sum(process.memory_info().rss for process in self._processes()) / 2**20

    @property
    def cpu_seconds(self) -> float:
        """What they have burnt so far."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(one.user + one.system for one in times)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def embedded(base: Path, user: str, batching: str = "") -> Iterator[Running]:
    """The project's own server on the versions below `base`. batching: its parameters, or none."""
    port, flags = free_port(), []
    if batching:
        file = base.parent / "batching.config"
        file.write_text(batching)
        flags = ["--enable_batching", f"--batching_parameters_file={file}"]
    command = [sys.executable, "-m", "serving", f"--model_name={MODEL_NAME}", f"--model_base_path={base}"]
    command += [f"--rest_api_port={port}", "--file_system_poll_wait_seconds=0.5", *flags]
    with _started(command, port, EMBEDDED, user, base.parent / "server.log", {}) as running:
        yield running


@contextmanager
def peer(name: str, saved_model: Path, user: str, scratch: Path) -> Iterator[Running]:
    """A peer on the SavedModel, in an environment that is built where it is missing."""
    binaries, port = environment(name) / "bin", free_port()
    if name == "litserve":
        command = [str(binaries / "python"), str(PEERS / "on_litserve.py")]
    elif name == "bentoml":
        command = [str(binaries / "bentoml"), "serve", "on_bentoml:Recommend", "--host", "127.0.0.1"]
        command += ["--port", str(port)]
    else:
        command = [str(binaries / "mlserver"), "start", str(_mlserver_settings(scratch / name, port))]
    more = {
        "MODEL": str(saved_model),
        "PORT": str(port),
        "PYTHONPATH": str(PEERS),
        "BENTOML_DO_NOT_TRACK": "1",
    }
    with _started(command, port, QUESTIONS[name], user, scratch / f"{name}.log", more) as running:
        yield running


def environment(name: str) -> Path:
    """The folder of the peer's environment, as `peers/NAME.lock` says; SystemExit where uv is missing."""
    lock, folder = PEERS / f"{name}.lock", _ENVIRONMENTS / name
    stamp = folder / "built"
    if stamp.is_file() and stamp.read_text() == lock.read_text():
        return folder
    uv = shutil.which("uv") or str(ROOT / ".uv" / "uv")
    print(f"building an environment for {name} in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([uv, "venv", "-q", "--no-project", "--python", sys.executable, folder], check=True)
    install = [
        uv,
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--compile-bytecode",
        "--python",
        f"{folder}/bin/python",
    ]
    subprocess.run([*install, "-r", lock], check=True)
    stamp.write_text(lock.read_text())
    return folder


def _mlserver_settings(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
    model = {"name": MODEL_NAME, "implementation": "on_mlserver.Recommend"}
    (folder / "settings.json").write_text(json.dumps(settings))
    gather = {"max_batch_size": 32, "max_batch_time": 0.001}
    (folder / "model-settings.json").write_text(json.dumps({**model, **gather}))
    return folder


@contextmanager
def _started(
    command: list[str], port: int, question: Question, user: str, log: Path, more: dict[str, str]
) -> Iterator[Running]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=ROOT if not more else PEERS,
            env={**os.environ, **quiet, **more}, start_new_session=True,
        )  # fmt: skip
    try:
        url, body = f"http://127.0.0.1:{port}{question.path}", question.body(user)
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not _answers(client, url, body):
                if process.poll() is not None or time.monotonic() - started > _START_SECONDS:
                    raise RuntimeError(f"{command[0]} does not serve: {log.read_text()[-2000:]}")
                time.sleep(0.02)
        yield Running(port, psutil.Process(process.pid), time.monotonic() - started)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(client: httpx.Client, url: str, body: bytes) -> bool:
    try:
        answer = client.post(url, content=body, headers={"Content-Type": "application/json"})
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def free_port() -> int:
    """Free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
