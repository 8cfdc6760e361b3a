"""Whom a push waits for: the model server of this home's stack, while that runs."""

import fcntl
from pathlib import Path

import pytest

from components.pusher.config import PusherConfig
from pipelines.services import MODEL_SERVER, Ports
from pipelines.supervised import lock_file, pushing
from schemas.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    Ports(rest=8599).write(home)
    return home


def test_the_server_of_a_stack_that_runs_is_waited_for(home):
    with lock_file(home).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"worker\n{MODEL_SERVER}")
        lock.flush()
        assert pushing(home, PusherConfig()).serving_url == "http://127.0.0.1:8599"
        named = PusherConfig(serving_url="http://elsewhere:1")
        assert pushing(home, named) == named


def test_the_port_of_a_stack_that_is_down_may_be_anybodys(home):
    lock_file(home).write_text(MODEL_SERVER)
    assert pushing(home, PusherConfig()).serving_url is None


def test_ports_that_a_full_disk_tore_are_none(home):
    (home.run / "ports.json").write_text("")
    assert Ports.read(home) is None
    assert Ports.free(home).rest >= Ports().rest
