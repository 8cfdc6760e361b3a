"""The DAGs' structure: what the grid shows and what the scheduler is told."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, CronDataIntervalTimetable

from dags import bootstrap, challenger, daily, rollback
from dags.step_operator import MODEL, PLAN
from pipelines import lease
from pipelines.anatomy import PUSH, STEPS
from schemas.home import Home

ROOT = Path(__file__).parents[2]


DAGS = [daily.dag, bootstrap.dag, challenger.dag]
WAIT = "wait"


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)


def context(run_type: str = "manual", span: str = "", force: bool = False, start: str | None = None) -> dict:
    run = SimpleNamespace(run_type=run_type, run_after=moment("2017-03-09T10:00"))
    params = {"span": span, "force": force}
    return {"params": params, "dag_run": run, "data_interval_start": moment(start) if start else None}


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.dag_id)
def test_every_node_is_a_task_in_its_group_behind_what_it_waits_for(dag: DAG) -> None:
    ids = {step.node: f"{step.group}.{step.node}" for step in STEPS}
    assert {*dag.task_ids} - {WAIT} == {PLAN, *ids.values()}
    for step in STEPS:
        waits_for = {ids[node] for node in step.after} or {PLAN}
        assert dag.get_task(ids[step.node]).upstream_task_ids == waits_for


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.dag_id)
def test_only_the_push_tells_airflow_of_a_new_model(dag: DAG) -> None:
    telling = {task.task_id: task.outlets for task in dag.tasks if task.outlets}
    assert telling == {f"{STEPS[-1].group}.{PUSH}": [MODEL]}


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.dag_id)
def test_tasks_try_again_and_link_to_mlflow_and_the_verdict(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.retries >= 1
        if task.task_id == WAIT:
            continue
        assert {link.name for link in task.operator_extra_links} == {"MLflow run", "Gate verdict"}


def test_the_day_is_scheduled_with_a_data_interval_and_one_at_a_time() -> None:
    dag = daily.dag
    assert isinstance(dag.schedule, CronDataIntervalTimetable)
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert all(task.retry_exponential_backoff > 1 for task in dag.tasks)


def test_a_run_learns_the_day_at_which_its_data_interval_starts() -> None:
    assert daily.arguments(context(start="2017-03-07")) == ["--span", "2017-03-07"]


def test_a_run_that_failed_for_good_keeps_no_other_waiting(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVERLEARN_HOME", str(tmp_path))
    home = Home(tmp_path)
    lease.take(home, lease.of_airflow("the failed one"), lasting=True)
    for callback in daily.dag.get_task(PLAN).on_failure_callback:
        callback({"run_id": "the failed one"})
    lease.take(home, lease.of_airflow("the next"), lasting=True)


def test_a_param_names_another_day_and_forces_it() -> None:
    asked = context(span="2017-02-01", force=True, start="2017-03-07")
    assert daily.arguments(asked) == ["--span", "2017-02-01", "--force"]


def test_a_run_by_hand_without_a_date_learns_yesterday() -> None:
    assert daily.arguments(context()) == ["--span", "2017-03-08"]


def test_the_bootstrap_learns_a_stretch() -> None:
    asked = {"params": {"first": "2017-01-01", "last": "2017-02-25"}}
    assert bootstrap.arguments(asked) == ["--span", "2017-02-25", "--first", "2017-01-01"]
    assert bootstrap.dag.schedule is None


def test_the_challenger_is_asked_for_once_a_week() -> None:
    assert isinstance(challenger.dag.schedule, CronDataIntervalTimetable)
    assert challenger.arguments({}) == ["--challenger"]
    assert (challenger.dag.catchup, challenger.dag.max_active_runs) == (False, 1)


def test_the_way_back_is_one_task_that_tells_airflow_of_a_model() -> None:
    (task,) = rollback.dag.tasks
    assert task.outlets == [MODEL]
    assert rollback.dag.schedule is None
    assert rollback.dag.params["to"] is None


def test_dag_files_import_no_machine_learning() -> None:
    heavy = ("tensorflow", "tfx", "mlflow", "great_expectations", "numpy", "pandas", "pyarrow", "components")
    program = (
        "import sys; from airflow.sdk import DAG; before = set(sys.modules); "
        "import dags.daily, dags.bootstrap, dags.challenger, dags.rollback; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.splitlines()[-1].split()) & set(heavy)


def test_dag_files_are_short() -> None:
    assert max(len(file.read_text().splitlines()) for file in (ROOT / "dags").glob("*.py")) < 100
