"""SIGKILL in every task of a day, three times each, and a retry: the day is as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.anatomy import STEPS
from pipelines.audit import of_champion
from pipelines.client import StepError, run_step
from pipelines.day_account import DayAccount, day_account
from pipelines.processes import REPOSITORY
from schemas import lineage
from schemas.home import MODEL_NAME, Home
from schemas.signatures import LINEAGE_FILE
from schemas.spans import date_of
from tests.e2e.deployment import FIRST_SPAN, LAST_OF_STRETCH, STRETCH, Deployment
from tests.e2e.killed_step import MIDDLE, UNNOTED, UNTOLD, order_kill

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DAY = LAST_OF_STRETCH + 1
OF_ITS_OWN = ("created", "run_id", "mlflow_run_id", "model_uri", "data_uri")
"""What lineage.json holds of when and where a day was learned."""


@dataclass
class Left:
    """What a run of the day left behind."""

    lineage: dict[str, Any]
    pushed: dict[str, str]
    """Digest of every file of the version but lineage.json."""
    account: DayAccount | None
    verdict: dict[str, Any]
    written: dict[str, list[str]]
    """The files of every output of the day, by its place."""

    @classmethod
    def by(cls, home: Home) -> Left:
        champion = lineage.champion(home.serving)
        version = home.serving / str(champion.version)
        files = [path for path in sorted(version.rglob("*")) if path.is_file() and path.name != LINEAGE_FILE]
        return cls(
            {key: value for key, value in json.loads(champion.to_json()).items() if key not in OF_ITS_OWN},
            {str(path.relative_to(version)): _digest(path) for path in files},
            day_account(home, DAY),
            json.loads((_newest(home.pipelines / "Gate" / "blessing") / "verdict.json").read_text()),
            {
                str(output.relative_to(home.pipelines)): sorted(_names(_newest(output)))
                for step in STEPS
                for output in sorted((home.pipelines / step.node).glob("[!.]*"))
            },
        )


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> tuple[Home, Home]:
    """Two names of one state folder's copies: artifacts are named by place, so each is `home` in its turn."""
    root = tmp_path_factory.mktemp("kills")
    return Home(root / "home"), Home(root / "as it was before the day")


@pytest.fixture(scope="module")
def worker(places):
    home, _ = places
    Deployment.create(home.root, days=STRETCH + 1, per_day=200)
    socket = home.root.with_name("worker.sock")
    home.run.mkdir()
    home.worker_socket.symlink_to(socket)
    command = [sys.executable, "-m", "pipelines.worker", str(socket), "--step", "tests.e2e.killed_step:main"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "warm after" in process.stdout.readline()
        yield process
        process.terminate()


@pytest.fixture(scope="module")
def undisturbed(places, worker) -> tuple[Left, dict[str, float]]:
    """What an undisturbed run of the day leaves, and every node's seconds; the home is as before it then."""
    home, before = places
    stretch = plan(home, LAST_OF_STRETCH, "--first", str(date_of(FIRST_SPAN)))
    for step in STEPS:
        node(home, stretch, step.node)
    shutil.copytree(home.root, before.root, symlinks=True)
    planned = plan(home, DAY)
    seconds = {step.node: node(home, planned, step.node)["seconds"] for step in STEPS}
    left = Left.by(home)
    shutil.rmtree(home.root)
    before.root.rename(home.root)
    return left, seconds


@pytest.fixture(scope="module")
def killed(places, undisturbed) -> tuple[Left, dict[str, list[str]]]:
    """What a run leaves of which every node was killed again and again, and how each kill was told."""
    home, _ = places
    rng = np.random.default_rng(1)
    planned, told = plan(home, DAY), {}
    for step in STEPS:
        told[step.node] = []
        for moment in (MIDDLE, UNNOTED, UNTOLD):
            order_kill(home.root, moment, rng.uniform(0, 0.7) * undisturbed[1][step.node])
            with pytest.raises(StepError) as death:
                node(home, planned, step.node)
            told[step.node].append(str(death.value))
        node(home, planned, step.node)
    return Left.by(home), told


def plan(home: Home, span: int, *more: str) -> dict[str, Any]:
    day = str(date_of(span))
    return run_step(home.root, ["plan", "--span", day, "--airflow-run-id", f"of {day}", *more], print)


def node(home: Home, planned: dict[str, Any], name: str) -> dict[str, Any]:
    return run_step(home.root, ["node", "--run", json.dumps(planned), name], print)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _newest(output: Path) -> Path:
    """The folder of an output's last execution."""
    return max(output.iterdir(), key=lambda folder: int(folder.name))


def _names(folder: Path) -> list[str]:
    """Of all files below, without what TensorBoard and Great Expectations tell of the time in them."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [re.sub(r"\d{8}T\d{6}[^/]*/|tfevents.*", "", name) for name in names]


def test_every_kill_is_told_as_one_and_the_retry_is_the_same_step(killed):
    for name, sentences in killed[1].items():
        assert sentences == [f"the step {name} was killed by SIGKILL: run it again"] * 3


def test_the_same_model_on_the_same_data_is_pushed(killed, undisturbed):
    assert undisturbed[0].lineage["kind"] == lineage.LEARNED
    assert killed[0].lineage == undisturbed[0].lineage


def test_every_pushed_file_is_the_same(killed, undisturbed):
    assert killed[0].pushed == undisturbed[0].pushed


def test_the_day_s_account_and_verdict_are_the_same(killed, undisturbed):
    assert undisturbed[0].account.accepted > 0
    assert killed[0].account == undisturbed[0].account
    assert killed[0].verdict == undisturbed[0].verdict


def test_no_output_holds_what_a_killed_attempt_had_begun(killed, undisturbed):
    assert killed[0].written == undisturbed[0].written


def test_nothing_half_made_is_left_beside_the_version(places, killed):
    home, _ = places
    assert {one.name for one in home.serving.iterdir()} == {"1", "2", ".push.lock"}
    assert not (home.run / "lease.json").exists()


def test_mlflow_has_one_run_of_the_day_and_its_champion(places, killed):
    import mlflow

    home, _ = places
    client = mlflow.MlflowClient(home.mlflow_uri)
    runs = client.search_runs([client.get_experiment_by_name(MODEL_NAME).experiment_id])
    of_day = [run for run in runs if run.data.tags["span"] == str(DAY)]
    champion = lineage.champion(home.serving)
    assert [run.info.run_id for run in of_day] == [champion.mlflow_run_id]
    assert [run.info.status for run in of_day] == ["FINISHED"]
    alias = client.get_model_version_by_alias(MODEL_NAME, "champion")
    assert alias.run_id == champion.mlflow_run_id


def test_the_audit_finds_every_event_learned_once(places, killed):
    _, found = of_champion(places[0])
    assert found.broken == ()
