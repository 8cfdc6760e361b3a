"""The warm worker and its client: a fork a step, and nothing of a step outlives who asked for it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from pipelines import client
from pipelines.client import StepError, run_step
from pipelines.processes import REPOSITORY
from pipelines.worker import Worker
from schemas.home import Home
from tests.pipelines.conftest import FAKE_STEP, start_worker, wait_until, worker_command

WITHOUT_WORKER = "No warm worker answers: running the step in a plain process."


@pytest.fixture(autouse=True)
def _fake_step_in_a_plain_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "STEP", FAKE_STEP)


def silent(_: str) -> None:
    pass


def written_pid(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text())
    return int(file.read_text())


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_step_runs_in_a_fork_of_the_worker_with_the_callers_home(worker, home: Home) -> None:
    lines: list[str] = []
    outcome = run_step(home.root, ["tell", "one", "two"], lines.append)
    assert outcome == {"words": ["one", "two"], "home": str(home.root), "parent": worker.pid}
    assert sorted(lines) == ["on the other stream", "one two"]


def test_without_a_worker_a_plain_process_gives_the_same(home: Home) -> None:
    lines: list[str] = []
    outcome = run_step(home.root, ["tell", "one", "two"], lines.append)
    assert outcome == {"words": ["one", "two"], "home": str(home.root), "parent": os.getpid()}
    assert sorted(lines) == sorted([WITHOUT_WORKER, "on the other stream", "one two"])


@pytest.mark.parametrize("warm", [True, False])
def test_an_error_is_the_steps_own_sentence(warm: bool, home: Home, request: pytest.FixtureRequest) -> None:
    if warm:
        request.getfixturevalue("worker")
    with pytest.raises(StepError, match=r"^the day has no events$"):
        run_step(home.root, ["fail", "the day has no events"], silent)
    with pytest.raises(StepError, match=r"^ValueError: a defect$"):
        run_step(home.root, ["raise", "a defect"], silent)
    with pytest.raises(StepError, match=r"^the step die was killed by SIGKILL: run it again$"):
        run_step(home.root, ["die"], silent)


def test_steps_run_at_the_same_time(worker, home: Home, tmp_path: Path) -> None:
    hanging = [subprocess.Popen(_command(home, "hang", tmp_path / f"{n}")) for n in range(3)]
    pids = [written_pid(tmp_path / f"{n}") for n in range(3)]
    assert len(set(pids)) == 3
    assert run_step(home.root, ["tell"], silent)["parent"] == worker.pid
    for process in hanging:
        process.kill()
        process.wait()


@pytest.mark.parametrize("warm", [True, False])
def test_killing_the_one_who_asked_kills_the_step(
    warm: bool, home: Home, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if warm:
        request.getfixturevalue("worker")
    asking = subprocess.Popen(_command(home, "hang", tmp_path / "pid"))
    step = written_pid(tmp_path / "pid")
    asking.kill()
    asking.wait()
    wait_until(lambda: gone(step))


def test_a_killed_worker_is_an_error_and_its_successor_runs_the_step(home: Home, tmp_path: Path) -> None:
    worker = start_worker(home)
    raised: list[Exception] = []

    def ask() -> None:
        try:
            run_step(home.root, ["hang", str(tmp_path / "pid")], silent)
        except StepError as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    step = written_pid(tmp_path / "pid")
    worker.kill()
    worker.wait()
    asking.join(10)
    assert str(raised[0]) == "the warm worker died while it ran the step hang: run it again"
    wait_until(lambda: gone(step))
    with start_worker(home) as successor:
        assert run_step(home.root, ["tell"], silent)["parent"] == successor.pid
        successor.terminate()


def test_a_stopped_worker_takes_its_steps_and_its_socket_along(home: Home, tmp_path: Path) -> None:
    worker = start_worker(home)
    asking = subprocess.Popen(_command(home, "hang", tmp_path / "pid"), stderr=subprocess.DEVNULL)
    step = written_pid(tmp_path / "pid")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    wait_until(lambda: gone(step))
    assert not home.worker_socket.exists()
    assert asking.wait(10) == 1


def test_what_a_step_leaves_behind_is_ended_with_it(worker, home: Home, tmp_path: Path) -> None:
    run_step(home.root, ["leave", str(tmp_path / "pid")], silent)
    wait_until(lambda: gone(int((tmp_path / "pid").read_text())))


def test_only_this_user_reaches_the_socket(worker, home: Home) -> None:
    assert stat.S_IMODE(home.worker_socket.stat().st_mode) == 0o600


def test_a_second_worker_is_refused(worker, home: Home) -> None:
    second = subprocess.run(worker_command(home), cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "answers on" in second.stderr
    assert run_step(home.root, ["tell"], silent)["parent"] == worker.pid


def test_a_worker_of_old_code_declines_and_ends(home: Home) -> None:
    worker = Worker(home.worker_socket, lambda argv: 0, imported="old", code=lambda: "new")
    serving = threading.Thread(target=worker.serve)
    serving.start()
    lines: list[str] = []
    assert run_step(home.root, ["tell"], lines.append)["parent"] == os.getpid()
    assert WITHOUT_WORKER in lines
    serving.join(10)
    assert not serving.is_alive()
    assert not home.worker_socket.exists()


def _command(home: Home, *argv: object) -> list[str]:
    """A process that asks for a step, as an Airflow task does."""
    program = (
        "import sys; from pathlib import Path; from pipelines import client; client.STEP = sys.argv[1]; "
        "client.run_step(Path(sys.argv[2]), sys.argv[3:], print)"
    )
    return [sys.executable, "-c", program, FAKE_STEP, str(home.root), *map(str, argv)]
