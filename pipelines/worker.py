"""The warm worker: imports what steps need once, then forks a child for every step it is asked for.

    python -m pipelines.worker SOCKET

A fresh interpreter spends about ten seconds on imports; a fork takes a twentieth of a second and shares
the memory. The child runs the step with the request's connection as its standard output and ends without
an interpreter exit. Three rules keep that sound: TensorFlow must have made no runtime before the fork (its
threads would not survive it), a child holds no connection but its own, and nothing of a step outlives its
request. The protocol is told in `pipelines.client`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from pipelines import environment
from pipelines.client import END
from pipelines.processes import REPOSITORY, die_with_parent, kill_group, socket_address

LIBRARIES = (
    "tensorflow",
    "tfx.v1",
    "tensorflow_data_validation",
    "great_expectations",
    "mlflow",
    "matplotlib.pyplot",
)
PACKAGES = ("components", "pipelines", "schemas", "serving")
REQUEST_SECONDS = 5
ANSWER_SECONDS = 30

Step = Callable[[list[str]], int]


class Worker:
    """Listens on a socket and forks a child a request, until SIGTERM or until its code is out of date."""

    def __init__(self, address: Path, step: Step, imported: object, code: Callable[[], object]) -> None:
        self.address = address
        self.step = step
        self.imported = imported
        self.code = code
        self.selector = selectors.DefaultSelector()
        self.connections: dict[int, socket.socket] = {}  # by the child's process id
        self.listener = _listen(address)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def serve(self) -> None:
        """Returns when the code on disk has changed and no child is left."""
        try:
            while self.connections or self.listener.fileno() >= 0:
                for key, _ in self.selector.select():
                    key.data()
        finally:
            for pid in self.connections:
                kill_group(pid)
            self.stop_listening()

    def stop_listening(self) -> None:
        if self.listener.fileno() >= 0:
            self.selector.unregister(self.listener)
            self.listener.close()
            self.address.unlink(missing_ok=True)

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        request = _request(connection)
        if request is None:
            connection.close()
        elif self.code() != self.imported:
            _answer(connection, None)
            self.stop_listening()
        else:
            self.fork(connection, request["argv"], request["environment"])

    def fork(self, connection: socket.socket, argv: list[str], environment: dict[str, str]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self.become_step(connection, argv, environment)
        self.connections[pid] = connection
        process = os.pidfd_open(pid)
        self.selector.register(process, selectors.EVENT_READ, lambda: self.reap(pid, process))
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.hang_up(pid))

    def become_step(self, connection: socket.socket, argv: list[str], environment: dict[str, str]) -> None:
        """In the child: never returns."""
        status = 1
        try:
            os.setsid()
            die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for key in list(self.selector.get_map().values()):
                os.close(key.fd)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(connection.fileno(), 1)
            os.dup2(connection.fileno(), 2)
            connection.close()
            for name in [name for name in os.environ if name.startswith("EVERLEARN_")]:
                del os.environ[name]
            os.environ.update(environment)
            status = self.step(argv)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def hang_up(self, pid: int) -> None:
        """The one who asked is gone, so what it asked for ends; `reap` follows."""
        self.selector.unregister(self.connections[pid])
        kill_group(pid)

    def reap(self, pid: int, process: int) -> None:
        self.selector.unregister(process)
        os.close(process)
        _, wait_status = os.waitpid(pid, 0)
        kill_group(pid)  # what the step started and left behind
        connection = self.connections.pop(pid)
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection)
        _answer(connection, os.waitstatus_to_exitcode(wait_status))


def _listen(address: Path) -> socket.socket:
    """A socket that only this user reaches; one that a dead worker left is replaced."""
    address.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with socket_address(address) as name:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(name) == 0:
                raise SystemExit(f"a warm worker answers on {address} already")
        address.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(name)
        finally:
            os.umask(before)
    listener.listen(64)
    return listener


def _request(connection: socket.socket) -> dict | None:
    """The request line; None where it does not come in time. (No time-out is set on the connection:
    that would make the child's standard output non-blocking.)"""
    received = b""
    deadline = time.monotonic() + REQUEST_SECONDS
    with selectors.DefaultSelector() as ready:
        ready.register(connection, selectors.EVENT_READ)
        while not received.endswith(b"\n"):
            if not ready.select(max(0, deadline - time.monotonic())):
                return None
            part = connection.recv(65536)
            if not part:
                return None
            received += part
    return json.loads(received)


def _answer(connection: socket.socket, status: int | None) -> None:
    """The last line, then a shutdown: closing alone would not end it while a stray process holds a copy."""
    with contextlib.suppress(OSError), selectors.DefaultSelector() as ready:
        ready.register(connection, selectors.EVENT_WRITE)
        if ready.select(ANSWER_SECONDS):
            connection.send(f"{END}{json.dumps({'status': status})}\n".encode(), socket.MSG_DONTWAIT)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def code_on_disk(packages: Iterable[str]) -> dict[str, int]:
    """Modification times of the repository's own modules."""
    files = (file for package in packages for file in (REPOSITORY / package).rglob("*.py"))
    return {str(file): file.stat().st_mtime_ns for file in files}


def everything() -> list[str]:
    """The libraries, then every module that a node is made of."""
    nodes = (module.name for module in pkgutil.walk_packages([str(REPOSITORY / "components")], "components."))
    return [*LIBRARIES, *nodes, "pipelines.launch"]


def preload(modules: Iterable[str]) -> None:
    """Imports `modules`, then hides all objects from the garbage collector, which would copy their pages."""
    for name in modules:
        importlib.import_module(name)
    assert_no_tensorflow_runtime()
    gc.collect()
    gc.freeze()


def assert_no_tensorflow_runtime() -> None:
    """SystemExit where an import has made TensorFlow start its threads: forks of such a process hang."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    context = eager.context_safe() if eager else None
    if context is not None and context._context_handle is not None:
        raise SystemExit("an import has started TensorFlow's runtime: no step could be forked safely")


def main() -> None:
    parser = argparse.ArgumentParser(prog="pipelines.worker", description=__doc__)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--step", default="pipelines.step:main", help="module:function that runs a step")
    parser.add_argument("--preload", nargs="*", help="modules to import first (default: all that nodes need)")
    parser.add_argument("--watch", nargs="*", default=PACKAGES, help="packages whose change ends the worker")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started = time.monotonic()
    environment.prepare()
    imported = code_on_disk(arguments.watch)
    module, function = arguments.step.split(":")
    step = getattr(importlib.import_module(module), function)
    preload(everything() if arguments.preload is None else arguments.preload)
    worker = Worker(arguments.socket, step, imported, lambda: code_on_disk(arguments.watch))
    print(f"warm after {time.monotonic() - started:.1f} s on {arguments.socket}", flush=True)
    worker.serve()


if __name__ == "__main__":
    main()
