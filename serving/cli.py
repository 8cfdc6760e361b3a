"""The model server's command line: TF Serving's flag names, and a few of its own."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from serving.app import Limits, RestApi
from serving.model import Model
from serving.registry import Registry
from serving.versions import Versions

log = logging.getLogger("serving")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--model_name", default="default", help="name of the model in URLs")
    add("--model_base_path", type=Path, required=True, help="folder of numbered version folders")
    add("--rest_api_port", type=int, default=8501, help="port; 0 takes a free one")
    add("--rest_api_timeout_in_ms", type=int, default=30_000, help="longest time a request may take")
    add("--rest_api_num_threads", type=int, default=4, help="requests that run in the model at a time")
    add("--file_system_poll_wait_seconds", type=float, default=1.0, help="0 looks once, negative never")
    add("--max_num_load_retries", type=int, default=5, help="further tries to load a version that failed")
    add("--load_retry_interval_micros", type=int, default=60_000_000, help="time between those tries")
    add("--host", default="127.0.0.1", help="address to listen on (not a flag of TF Serving)")
    add("--port_file", type=Path, help="file that gets the port once requests are taken (not of TF Serving)")
    add("--stop_at_stdin_eof", action="store_true", help="ends with its parent (not of TF Serving)")
    return parser.parse_args(argv)


class Server(uvicorn.Server):
    """uvicorn, telling when it takes requests."""

    port_file: Path | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not sockets or self.should_exit:
            return
        host, port = sockets[0].getsockname()[:2]
        log.info("Exporting HTTP/REST API at: http://%s:%d", host, port)
        if self.port_file:
            aside = self.port_file.with_suffix(".new")
            aside.write_text(str(port))
            aside.replace(self.port_file)


def main(argv: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; 1 if the model cannot be served at all."""
    options = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if options.stop_at_stdin_eof:
        threading.Thread(target=_stop_at_stdin_eof, daemon=True).start()
    try:
        listener = _bind(options.host, options.rest_api_port)
    except OSError as error:
        log.error("Cannot listen on %s:%d: %s", options.host, options.rest_api_port, error.strerror)
        return 1
    versions = Versions(
        options.model_name,
        options.model_base_path.absolute(),
        Model,
        retries=options.max_num_load_retries,
        retry_seconds=options.load_retry_interval_micros / 1e6,
    )
    if not _wait_until_available(versions, options.file_system_poll_wait_seconds):
        return 1
    if options.file_system_poll_wait_seconds > 0:
        poller = threading.Thread(
            target=_poll, args=(versions, options.file_system_poll_wait_seconds), daemon=True
        )
        poller.start()
    limits = Limits(options.rest_api_timeout_in_ms / 1000, threads=options.rest_api_num_threads)
    config = uvicorn.Config(
        RestApi(Registry({options.model_name: versions}), limits),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=30,
    )
    server = Server(config)
    server.port_file = options.port_file
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises them once more after it has ended
    server.run(sockets=[listener])
    return 0


def _bind(host: str, port: int) -> socket.socket:
    """Takes the port, so that a busy one is known before a model is loaded; nobody is answered yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _wait_until_available(versions: Versions, poll_seconds: float) -> bool:
    """The port opens when the model can answer, as TF Serving's does; False if it never will."""
    told = False
    while True:
        versions.poll()
        if versions.available():
            return True
        if failed := versions.failed():
            log.error("Failed to start server: version %d: %s", failed[-1].number, failed[-1].error)
            return False
        if poll_seconds <= 0 and not versions.loading():
            log.error("Failed to start server: no versions under %s", versions.base_path)
            return False
        if not told:
            log.info("Waiting for a version of %s under %s", versions.name, versions.base_path)
            told = True
        time.sleep(min(poll_seconds, 0.2) if poll_seconds > 0 else 0.2)


def _poll(versions: Versions, seconds: float) -> None:
    while True:
        time.sleep(seconds)
        try:
            versions.poll()
        except Exception:
            log.exception("Polling %s failed; it is tried again", versions.base_path)


def _stop_at_stdin_eof() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def run() -> None:
    """The process's whole life; ends without TensorFlow's slow tear-down."""
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
