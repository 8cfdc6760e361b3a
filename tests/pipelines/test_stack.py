"""The supervised stack: what dies comes back, what is stopped is gone; a day under the real scheduler."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from pipelines import airflow_api, stack
from pipelines.airflow_api import DAILY, Airflow
from pipelines.processes import REPOSITORY
from pipelines.services import HOST, Ports, Service, airflow_password, passwords_file
from pipelines.supervise import Supervised
from pipelines.supervised import running as services_of
from schemas.home import Home
from tests.pipelines.conftest import start_worker, wait_until


def test_a_service_that_dies_comes_back_later_each_time(home: Home) -> None:
    for folder in (home.run, home.logs):
        folder.mkdir(parents=True)
    failing = Supervised(Service("failing", ("false",), {}, lambda: True), home)
    delays = []
    for _ in range(3):
        failing.process.wait()
        failing.tend()
        delays.append(failing.delay)
        failing.again = time.monotonic()
        failing.tend()
    assert delays == [2.0, 4.0, 8.0]
    failing.stop(time.monotonic())


def test_a_taken_port_gives_way_to_the_next(home: Home) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        Ports(mlflow=taken).write(home)
        assert taken < Ports.free(home).mlflow <= taken + 100


def test_the_login_is_made_once_and_is_this_users(home: Home) -> None:
    assert airflow_password(home) == airflow_password(home)
    assert stat.S_IMODE(passwords_file(home).stat().st_mode) == 0o600


def test_down_without_a_stack_is_harmless(home: Home) -> None:
    said: list[str] = []
    stack.down(home, said.append)
    assert said == ["Nothing was running."]
    assert not stack.is_up(home)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Airflow alone, and beside it a worker that runs the fake step."""
    home = Home(tmp_path_factory.mktemp("stack"))
    for folder in (home.run, home.airflow):
        folder.mkdir(parents=True)
    base = _free_port()
    Ports(airflow=base, mlflow=base + 1, rest=base + 2).write(home)
    worker = start_worker(home)
    stack.up(home, stack.AIRFLOW, say=print)
    yield home
    stack.down(home)
    assert not stack._members(home)
    worker.terminate()
    worker.wait()


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_day_under_the_real_scheduler(running: Home) -> None:
    day = dt.date(2017, 3, 7)
    lines: list[str] = []
    assert airflow_api.run_day(running, day, lines.append) == "success"
    assert len(lines) == len(list(Airflow(running).tasks(DAILY, f"day__{day}")))
    airflow = Airflow(running)
    plan = airflow.xcom(DAILY, f"day__{day}", "plan")
    assert plan["argv"] == ["--span", "2017-03-07", "--airflow-run-id", f"day__{day}"]
    assert airflow.xcom(DAILY, f"day__{day}", "judge.Gate", "verdict") == "rejected: old tasks lost 12%"
    assert airflow.xcom(DAILY, f"day__{day}", "push.Pusher")["run_id"] == plan["run_id"]


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_task_whose_worker_is_killed_runs_again_under_the_same_run_id(running: Home) -> None:
    day = dt.date(2017, 3, 8)
    hang = running.root / "hang in Trainer"
    hang.touch()
    program = (
        "import datetime as dt, sys; from pathlib import Path; from pipelines.airflow_api import run_day; "
        "from schemas.home import Home; "
        f"print(run_day(Home(Path(sys.argv[1])), dt.date.fromisoformat('{day}'), print))"
    )
    following = subprocess.Popen(
        [sys.executable, "-c", program, str(running.root)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    step = hang.with_suffix(".pid")
    wait_until(step.exists, seconds=60)
    wait_until(step.read_text)
    psutil.Process(int(step.read_text())).parent().kill()
    wait_until(lambda: _refused(running))
    successor = start_worker(running)
    said, _ = following.communicate(timeout=200)
    successor.terminate()
    assert said.splitlines()[-1] == "success"
    assert "up_for_retry" in said
    trained = Airflow(running).xcom(DAILY, f"day__{day}", "train.Trainer")
    assert trained["run_id"] == Airflow(running).xcom(DAILY, f"day__{day}", "plan")["run_id"]


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_up_again_changes_nothing_and_only_loopback_listens(running: Home) -> None:
    (supervisor,) = (one for one in stack._members(running) if stack._is_supervisor(one))
    # Its own children alone: what a service starts for a moment may be gone by the next look.
    supervised = {process.pid for process in supervisor.children()}
    stack.up(running, stack.AIRFLOW)
    assert supervised
    assert supervised <= {process.pid for process in stack._members(running)}
    listening = [
        connection.laddr.ip
        for process in stack._members(running)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {HOST}


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_second_supervisor_is_refused_and_takes_nothing(running: Home) -> None:
    names = services_of(running)
    second = [sys.executable, "-m", "pipelines.supervise", str(running.root), "mlflow"]
    done = subprocess.run(second, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert "is supervised already" in done.stderr
    assert services_of(running) == names != []


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_down_leaves_no_process_even_after_the_supervisor_was_killed(running: Home) -> None:
    (supervisor,) = (one for one in stack._members(running) if stack._is_supervisor(one))
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_until(lambda: not services_of(running))
    stack.down(running)
    assert not stack._members(running)


def _refused(home: Home) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(home.worker_socket)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
