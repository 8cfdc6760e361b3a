"""One real MLflow database for the module: making one takes seconds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from components.pusher.repair import repair
from components.record.gather import DayCounts
from components.record.record import Day, record
from schemas.home import Home
from schemas.lineage import LEARNED, REFRESHED, Lineage
from schemas.signatures import LINEAGE_FILE
from schemas.spans import date_of

FIRST = 17_346


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def client(home) -> MlflowClient:
    return MlflowClient(home.mlflow_uri)


def day(
    span: int, saved_model: Path, folder: Path, status: str = "blessed", run_id: str | None = None
) -> Day:
    tasks = {task: {"recall_at_20": 0.2 + span % 10 / 100} for task in ("old", "new", "own")}
    summary = {
        "span": span,
        "date": date_of(span).isoformat(),
        "headline": "recall_at_20",
        "performance": 0.4,
        "forgetting": 0.01,
        "models": {"candidate": tasks},
        "rows": {"old": 10, "new": 5, "own": 1},
        "slices": [],
        "weeks": {"2017-W24": {"rows": 10, "candidate": 0.2, "best_ever": 0.25}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(json.dumps({"status": status}))
    return Day(
        run_id=run_id or f"run of {span}",
        airflow_run_id="scheduled__2017-06-30",
        config={"gate": {"seed": 0}},
        summary=summary,
        verdict={
            "status": status,
            "blessed": status == "blessed",
            "reasons": ["because"],
            "findings": [],
            "notes": ["by the way"],
        },
        report={"seconds": 1.5},
        counts=DayCounts(100, 0, 2, 0, 90, 8),
        rows={"new": 90, "replay": 9, "held_out": 8},
        training_rows=folder / "training_rows",
        rows_digest="d" * 64,
        model=folder / "model",
        saved_model=saved_model,
        attachments={"verdict": folder},
    )


def test_a_day_is_one_whole_run(home, client, saved_model, tmp_path):
    where = record(day(FIRST, saved_model, tmp_path), home.mlflow_uri, home.mlflow_artifacts)
    run = client.get_run(where["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["gate.seed"] == "0"
    assert run.data.metrics["new/recall_at_20"] == pytest.approx(0.26)
    assert run.data.metrics["events/unaccounted"] == 0
    assert run.data.metrics["train/seconds"] == 1.5
    assert run.data.tags["tfx_run_id"] == f"run of {FIRST}"
    assert run.data.tags["airflow_run_id"] == "scheduled__2017-06-30"
    assert run.data.tags["reasons"] == "because"
    assert run.data.tags["mlflow.note.content"] == "**blessed**\n\nbecause\n\nby the way"
    rows = {
        one.dataset.name: json.loads(one.dataset.profile)["num_rows"] for one in run.inputs.dataset_inputs
    }
    assert rows == {
        f"{date_of(FIRST)} {split}": n for split, n in (("new", 90), ("replay", 9), ("held_out", 8))
    }
    plots = {one.path for one in client.list_artifacts(run.info.run_id, "plots")}
    named = ("quality_over_days", "quality_against_cost", "forgetting_over_days", "forgetting_by_week")
    assert plots == {f"plots/{name}.png" for name in named}
    assert [one.path for one in client.list_artifacts(run.info.run_id, "verdict")] == ["verdict/verdict.json"]
    assert where["path"] == f"#/experiments/{where['experiment_id']}/runs/{where['run_id']}"
    assert list(home.mlflow_artifacts.rglob("verdict.json"))


def test_the_registered_model_recommends(home, client, saved_model, tmp_path):
    where = record(day(FIRST + 1, saved_model, tmp_path), home.mlflow_uri, home.mlflow_artifacts)
    challenger = client.get_model_version_by_alias("everlearn", "challenger")
    assert (str(challenger.version), challenger.run_id) == (where["model_version"], where["run_id"])
    assert challenger.tags["model_uri"] == str(tmp_path / "model")
    mlflow.set_registry_uri(home.mlflow_uri)
    model = mlflow.pyfunc.load_model("models:/everlearn@challenger")
    answer = model.predict(pd.DataFrame({"user_id": ["ann", "bob"]}))
    assert answer["item_id"].tolist() == [["for ann", "popular"], ["for bob", "popular"]]
    assert answer["score"].tolist() == [[2.0, 1.0], [2.0, 1.0]]


def test_a_retry_of_the_same_tfx_run_replaces_its_run(home, client, saved_model, tmp_path):
    first = record(day(FIRST + 2, saved_model, tmp_path), home.mlflow_uri, home.mlflow_artifacts)
    again = record(day(FIRST + 2, saved_model, tmp_path, "rejected"), home.mlflow_uri, home.mlflow_artifacts)
    runs = client.search_runs([again["experiment_id"]], f"tags.tfx_run_id = 'run of {FIRST + 2}'")
    assert [run.info.run_id for run in runs] == [again["run_id"]]
    assert runs[0].data.tags["verdict"] == "rejected"
    assert first["run_id"] not in {one.run_id for one in client.search_model_versions("name = 'everlearn'")}
    assert client.get_model_version_by_alias("everlearn", "challenger").run_id == again["run_id"]


def test_a_run_killed_halfway_is_replaced(home, client, saved_model, tmp_path):
    mlflow.set_tracking_uri(home.mlflow_uri)
    experiment = client.get_experiment_by_name("everlearn").experiment_id
    half = client.create_run(experiment, tags={"tfx_run_id": "it's half", "span": "1", "date": "1970-01-02"})
    where = record(
        day(FIRST + 3, saved_model, tmp_path, run_id="it's half"), home.mlflow_uri, home.mlflow_artifacts
    )
    assert client.get_run(half.info.run_id).info.lifecycle_stage == "deleted"
    assert client.get_run(where["run_id"]).info.status == "FINISHED"


def serve(home: Home, version: int, kind: str, model: Path) -> None:
    """A version in the serving folder, as a push leaves it."""
    lineage = Lineage(
        version=version, kind=kind, span=FIRST, parent=None, spans_learned=(FIRST,), model_uri=str(model),
        model_digest="", data_uri="", data_digest="", data_versions={}, verdict="blessed", config={},
        config_digest="", code_digest="", run_id=f"run {version}", mlflow_run_id="", created="",
    )  # fmt: skip
    folder = home.serving / str(version)
    folder.mkdir(parents=True)
    (folder / LINEAGE_FILE).write_text(lineage.to_json())


def test_the_alias_champion_follows_the_serving_folder(home, client, saved_model, tmp_path):
    assert repair(home.serving, home.mlflow_uri) is None
    monday = record(day(FIRST + 4, saved_model, tmp_path / "monday"), home.mlflow_uri, home.mlflow_artifacts)
    serve(home, 1, LEARNED, tmp_path / "monday" / "model")
    assert repair(home.serving, home.mlflow_uri) == monday["model_version"]

    tuesday = day(FIRST + 5, saved_model, tmp_path / "tuesday", "rejected")
    record(tuesday, home.mlflow_uri, home.mlflow_artifacts)
    serve(home, 2, REFRESHED, tmp_path / "monday" / "model")
    assert repair(home.serving, home.mlflow_uri) == monday["model_version"]
    champion = client.get_model_version_by_alias("everlearn", "champion")
    assert champion.run_id == monday["run_id"]
    assert champion.tags["served_version"] == "2"
    assert client.get_model_version_by_alias("everlearn", "challenger").run_id != monday["run_id"]


def test_a_model_that_mlflow_does_not_know_is_no_error(home, tmp_path):
    serve(home, 3, LEARNED, tmp_path / "never recorded")
    assert repair(home.serving, home.mlflow_uri) is None


def test_nothing_of_the_day_is_lost_where_there_is_no_old_task(home, client, saved_model, tmp_path):
    one = day(FIRST + 6, saved_model, tmp_path)
    without = dataclasses.replace(one, summary={**one.summary, "weeks": {}, "forgetting": None})
    where = record(without, home.mlflow_uri, home.mlflow_artifacts)
    plots = {one.path for one in client.list_artifacts(where["run_id"], "plots")}
    assert "plots/quality_over_days.png" in plots
    assert "plots/forgetting_by_week.png" not in plots
    assert "average_accuracy" not in client.get_run(where["run_id"]).data.metrics


def test_each_attempt_at_a_day_is_a_nested_run_and_no_day_of_its_own(home, client, saved_model, tmp_path):
    attempts = [{"probe_loss": 0.2, "chosen": 0.0}, {"probe_loss": 0.1, "chosen": 1.0}]
    twice = dataclasses.replace(day(FIRST + 7, saved_model, tmp_path), attempts=attempts)
    record(twice, home.mlflow_uri, home.mlflow_artifacts)
    where = record(twice, home.mlflow_uri, home.mlflow_artifacts)
    of_day = client.search_runs([where["experiment_id"]], f"tags.tfx_run_id = 'run of {FIRST + 7}'")
    nested = [one for one in of_day if one.data.tags.get("mlflow.parentRunId") == where["run_id"]]
    assert sorted(one.data.metrics["train/probe_loss"] for one in nested) == [0.1, 0.2]
    assert len(of_day) == 3, "a retry replaces the attempts of the first time too"
    next_day = record(day(FIRST + 8, saved_model, tmp_path / "next"), home.mlflow_uri, home.mlflow_artifacts)
    assert client.get_run(next_day["run_id"]).info.status == "FINISHED"
