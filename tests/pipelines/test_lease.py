"""One run at a time, whoever runs it: processes here, Airflow's tasks there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines import lease
from pipelines.lease import LeaseError
from pipelines.processes import REPOSITORY
from schemas.home import Home
from tests.pipelines.conftest import wait_until

HOLD = (
    "import sys; from pathlib import Path; from pipelines import lease; from schemas.home import Home\n"
    "with lease.held(Home(Path(sys.argv[1])), 'the run of 2024-03-14'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def other(home: Home):
    """Another process whose run is under way."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.root)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_what_a_power_cut_left_of_a_lease_is_none(home):
    home.run.mkdir(parents=True)
    (home.run / "lease.json").write_text("")
    with lease.held(home, "mine"):
        assert json.loads((home.run / "lease.json").read_text())["owner"].startswith("mine")


def test_a_second_run_is_refused_by_the_name_of_the_first(home, other):
    with (
        pytest.raises(LeaseError, match=rf"the run of 2024-03-14 \(process {other.pid}\) is using"),
        lease.held(home, "mine"),
    ):
        pass


def test_of_many_that_come_at_once_one_runs_and_the_others_are_refused(home):
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home.root)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    wait_until(lambda: sum(one.poll() is not None for one in crowd) == 7, seconds=60)
    (runs,) = (one for one in crowd if one.poll() is None)
    told = [one.communicate()[1] for one in crowd if one is not runs]
    assert all(f"the run of 2024-03-14 (process {runs.pid}) is using" in one for one in told)
    assert runs.communicate("")[0] == "held\n"


def test_a_run_that_ended_stands_in_nobody_s_way(home, other):
    other.communicate("")
    with lease.held(home, "mine"):
        assert (home.run / "lease.json").exists()
    assert not (home.run / "lease.json").exists()


def test_a_run_that_was_killed_stands_in_nobody_s_way(home, other):
    other.kill()
    other.wait()
    assert (home.run / "lease.json").exists()
    lease.take(home, "mine", lasting=False)


def test_an_airflow_run_lasts_between_its_tasks_and_may_try_again(home, monkeypatch):
    run = lease.of_airflow("scheduled__2024-03-14")
    lease.take(home, run, lasting=True)
    _let_its_process_end(home)
    with pytest.raises(LeaseError, match="the Airflow run scheduled__2024-03-14 is using"):
        lease.take(home, "mine", lasting=False)
    lease.take(home, run, lasting=True)
    lease.release(home, "mine")
    assert (home.run / "lease.json").exists()


def test_an_airflow_run_of_which_nothing_is_heard_is_over(home, monkeypatch):
    lease.take(home, lease.of_airflow("lost"), lasting=True)
    _let_its_process_end(home)
    monkeypatch.setattr(lease, "SILENT_SECONDS", 0)
    lease.take(home, "mine", lasting=False)


def test_who_waits_gets_its_turn(home, monkeypatch):
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.01)
    first, said = lease.of_airflow("first"), []
    lease.take(home, first, lasting=True)
    threading.Timer(0.2, lease.release, (home, first)).start()
    started = time.monotonic()
    lease.take(home, lease.of_airflow("second"), lasting=True, wait_seconds=30, say=said.append)
    assert said == ["Waiting for the Airflow run first to end."]
    assert 0.1 < time.monotonic() - started < 10


def test_the_command_line_refuses_in_one_sentence(home, other):
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--date", "2024-03-15"],
        cwd=REPOSITORY,
        env={"EVERLEARN_HOME": str(home.root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the run of 2024-03-14" in done.stderr
    assert "wait for it to end" in done.stderr


def _let_its_process_end(home: Home) -> None:
    """As if the process that wrote the lease had ended: no process was ever started at tick -1."""
    file = home.run / "lease.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"started": "-1"}))
