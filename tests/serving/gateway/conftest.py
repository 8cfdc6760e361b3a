"""Real stores: a Redis server of the tests' own where it is installed, SQLite always."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from serving.gateway.store import RecentStore, RedisStore, SqliteStore
from tests.serving.servers import wait_for

REDIS = shutil.which("redis-server")
STORES = ["sqlite", pytest.param("redis", marks=pytest.mark.skipif(not REDIS, reason="no redis-server"))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """A server without files, which can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        files = ("--save", "", "--appendonly", "no", "--dir", str(self._folder))
        command = [str(REDIS), "--port", str(self.port), "--bind", "127.0.0.1", *files]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)

        def answers() -> bool:
            with contextlib.suppress(redis.RedisError):
                return client.ping()
            return False

        wait_for(answers, 10)
        client.close()

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=STORES)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., RecentStore]]:
    """Opens the same empty store each time; `keep` and `seconds` as wanted."""
    opened: list[RecentStore] = []
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        redis.Redis.from_url(server.url).flushall()

    def make(keep: int = 5, seconds: int = 60) -> RecentStore:
        if request.param == "redis":
            opened.append(RedisStore(server.url, keep, seconds, 1.0))
        else:
            opened.append(SqliteStore(tmp_path / "recent.sqlite", keep, seconds))
        opened[-1].begin()
        return opened[-1]

    yield make
    for store in opened:
        store.close()


class Gateways:
    """Starts gateways in processes of their own."""

    def __init__(self, log: Path) -> None:
        self.started: list[subprocess.Popen] = []
        self._log = log

    def __call__(self, environment: dict[str, str]) -> subprocess.Popen:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "serving.gateway"]
            self.started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return self.started[-1]


@pytest.fixture
def gateway_process(tmp_path: Path) -> Iterator[Gateways]:
    """They are gone after the test."""
    gateways = Gateways(tmp_path / "gateway.log")
    yield gateways
    for process in gateways.started:
        process.kill()
        process.wait()
