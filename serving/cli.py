"""The model server's command line: TF Serving's flag names, and a few of its own."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from serving.app import Limits, RestApi
from serving.batching import Batcher, Batching
from serving.config_file import (
    ConfigError,
    ModelSettings,
    read_batching,
    read_metrics_path,
    read_models,
)
from serving.keeper import Keeper
from serving.model import Model
from serving.registry import Registry
from serving.versions import Versions

log = logging.getLogger("serving")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--model_name", default="default", help="name of the one model in URLs")
    add("--model_base_path", type=Path, help="its folder of numbered version folders")
    add("--model_config_file", type=Path, help="ModelServerConfig (text) instead of the one model")
    add("--model_config_file_poll_wait_seconds", type=float, default=0.0, help="0 reads it once")
    add("--allow_version_labels_for_unavailable_models", type=_boolean, nargs="?", const=True, default=False,
        help="labels may name versions that are not available yet")  # fmt: skip
    add("--monitoring_config_file", type=Path, help="MonitoringConfig (text): Prometheus metrics")
    add("--rest_api_port", type=int, default=8501, help="port; 0 takes a free one")
    add("--rest_api_timeout_in_ms", type=int, default=30_000, help="longest time a request may take")
    add("--rest_api_num_threads", type=int, help="requests at a time; 4, with batching 64")
    add("--enable_batching", type=_boolean, nargs="?", const=True, default=False,
        help="requests that come at the same time run as one")  # fmt: skip
    add("--batching_parameters_file", type=Path, help="BatchingParameters (text)")
    add("--file_system_poll_wait_seconds", type=float, default=1.0, help="0 looks once, negative never")
    add("--max_num_load_retries", type=int, default=5, help="further tries to load a version that failed")
    add("--load_retry_interval_micros", type=int, default=60_000_000, help="time between those tries")
    add("--host", default="127.0.0.1", help="address to listen on (not a flag of TF Serving)")
    add("--port_file", type=Path, help="file that gets the port once requests are taken (not of TF Serving)")
    add("--stop_at_stdin_eof", action="store_true", help="ends with its parent (not of TF Serving)")
    options = parser.parse_args(argv)
    if not options.model_base_path and not options.model_config_file:
        parser.error("one of --model_base_path and --model_config_file is needed")
    if options.batching_parameters_file and not options.enable_batching:
        parser.error("--batching_parameters_file is set without --enable_batching")
    return options


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
    """Serves until SIGTERM or SIGINT; 1 if it cannot serve what it was told to."""
    options = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if options.stop_at_stdin_eof:
        threading.Thread(target=_stop_at_stdin_eof, daemon=True).start()
    try:
        listener = _bind(options.host, options.rest_api_port)
        metrics = (
            read_metrics_path(options.monitoring_config_file) if options.monitoring_config_file else None
        )
        batcher = Batcher(_batching(options)) if options.enable_batching else None
        registry = Registry(lambda settings: _versions(settings, options, batcher))
        keeper = _keeper(registry, options)
    except (OSError, ConfigError) as error:
        log.error("Failed to start server: %s", error)
        return 1
    if problem := keeper.wait_until_available():
        log.error("Failed to start server: %s", problem)
        return 1
    threading.Thread(target=keeper.run, daemon=True).start()
    limits = Limits(options.rest_api_timeout_in_ms / 1000, threads=_threads(options))
    config = uvicorn.Config(
        RestApi(registry, limits, metrics, batches=options.enable_batching),
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


def _batching(options: argparse.Namespace) -> Batching:
    file = options.batching_parameters_file
    return read_batching(file) if file else Batching()


def _threads(options: argparse.Namespace) -> int:
    """Requests wait in their threads for their batch, so there are more of these where batches are made."""
    return options.rest_api_num_threads or (64 if options.enable_batching else 4)


def _versions(
    settings: ModelSettings, options: argparse.Namespace, batcher: Batcher | None
) -> Versions[Model]:
    return Versions(
        settings.name,
        settings.base_path,
        lambda folder: Model(folder, batcher),
        policy=settings.policy,
        retries=options.max_num_load_retries,
        retry_seconds=options.load_retry_interval_micros / 1e6,
    )


def _keeper(registry: Registry, options: argparse.Namespace) -> Keeper:
    """Configures the registry for the first time; ConfigError if the configuration is no good."""
    labels_may_wait = options.allow_version_labels_for_unavailable_models
    if options.model_config_file:
        models = read_models(options.model_config_file)
    else:
        models = [ModelSettings(options.model_name, options.model_base_path.absolute())]
    registry.configure(models, labels_may_wait=labels_may_wait)
    return Keeper(
        registry,
        poll_seconds=options.file_system_poll_wait_seconds,
        config_file=options.model_config_file,
        config_seconds=options.model_config_file_poll_wait_seconds,
        labels_may_wait=labels_may_wait,
    )


def _bind(host: str, port: int) -> socket.socket:
    """Takes the port, so that a busy one is known before a model is loaded; nobody is answered yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listener


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() in ("true", "1")


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
