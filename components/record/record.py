"""Write a day into MLflow: one run a TFX run id, with its registered model version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, ViewType
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

from components.record import gather, over_days, plots
from components.record.registry import log_and_register
from schemas.home import MODEL_NAME

RUN_TAG, SPAN_TAG, DATE_TAG, VERDICT_TAG = "tfx_run_id", "span", "date", "verdict"
_MAX_TAG = 5000
_DAYS_SHOWN = 200


@dataclass(frozen=True)
class Day:
    """Everything that is known of a day when it has been judged."""

    run_id: str
    """The TFX run id."""
    airflow_run_id: str
    """Empty where the day did not run under Airflow."""
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    """The evaluation's summary.json."""
    verdict: Mapping[str, Any]
    """The gate's verdict.json."""
    report: Mapping[str, float]
    """The trainer's report.json."""
    counts: gather.DayCounts
    rows: Mapping[str, int]
    """Rows a split of the training set."""
    training_rows: Path
    """Folder of these rows, a split a subfolder."""
    rows_digest: str
    model: Path
    """Folder of the candidate's Model artifact."""
    saved_model: Path
    attempts: Sequence[Mapping[str, float]] = ()
    """Reports of the trainer's attempts, where there was more than one: each is a nested run."""
    further_metrics: Mapping[str, float] = field(default_factory=dict)
    further_tags: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, Path] = field(default_factory=dict)
    """Folders that are kept with the run, by the name they get there."""


def record(day: Day, mlflow_uri: str, artifacts: Path) -> dict[str, str]:
    """Make the day's run and return where it is: run_id, experiment_id, path (in the UI), model_version.

    A run of the same TFX run id, whole or half, is replaced: nothing outside refers to it before the push.
    artifacts: the folder for the artifacts of a new experiment.
    """
    mlflow.set_tracking_uri(mlflow_uri)
    client = MlflowClient()
    found = client.get_experiment_by_name(MODEL_NAME)
    experiment = found.experiment_id if found else client.create_experiment(MODEL_NAME, artifacts.as_uri())
    _remove_earlier(client, experiment, day.run_id)
    measured = gather.loggable(
        {
            **gather.metrics(day.summary, day.verdict, day.report),
            **gather.count_metrics(day.counts, day.rows),
            **day.further_metrics,
        }
    )
    days = _days_so_far(client, experiment, day, measured)
    accuracy, weeks = over_days.accuracy(days)
    tags = _tags(day)
    with mlflow.start_run(
        experiment_id=experiment, run_name=f"{tags[DATE_TAG]} {tags[VERDICT_TAG]}", tags=tags
    ) as run:
        mlflow.log_params(gather.flatten(day.config))
        mlflow.log_metrics(measured | over_days.transfer(accuracy))
        client.log_inputs(run.info.run_id, _datasets(day))
        for name, folder in day.attachments.items():
            mlflow.log_artifacts(str(folder), name)
        metric = day.summary["headline"]
        told = [_told(one, metric) for one in days]
        mlflow.log_figure(plots.quality_over_days(told, metric), "plots/quality_over_days.png")
        mlflow.log_figure(plots.quality_against_cost(told, metric), "plots/quality_against_cost.png")
        if weeks:
            picture = plots.forgetting_over_days(accuracy, [one.date for one in days], weeks, metric)
            mlflow.log_figure(picture, "plots/forgetting_over_days.png")
        if day.summary["weeks"]:
            mlflow.log_figure(
                plots.forgetting_by_week(day.summary["weeks"], metric), "plots/forgetting_by_week.png"
            )
        kept = {name: tags[name] for name in (RUN_TAG, SPAN_TAG, DATE_TAG, VERDICT_TAG)}
        for number, report in enumerate(day.attempts, start=1):
            with mlflow.start_run(
                experiment_id=experiment,
                run_name=f"{tags[DATE_TAG]} attempt {number}",
                tags=kept,
                nested=True,
            ):
                mlflow.log_metrics(gather.loggable({f"train/{name}": one for name, one in report.items()}))
        version = log_and_register(day.model, day.saved_model, kept)
    run_id = run.info.run_id
    path = f"#/experiments/{experiment}/runs/{run_id}"
    return {"run_id": run_id, "experiment_id": experiment, "path": path, "model_version": version}


def _tags(day: Day) -> dict[str, str]:
    told = [f"**{day.verdict['status']}**", *day.verdict["reasons"], *day.verdict["notes"]]
    tags = {
        RUN_TAG: day.run_id,
        SPAN_TAG: str(day.summary["span"]),
        DATE_TAG: day.summary["date"],
        VERDICT_TAG: day.verdict["status"],
        "reasons": "\n".join(day.verdict["reasons"])[:_MAX_TAG],
        "mlflow.note.content": "\n\n".join(told)[:_MAX_TAG],
        **day.further_tags,
    }
    return tags | ({"airflow_run_id": day.airflow_run_id} if day.airflow_run_id else {})


def _datasets(day: Day) -> list[DatasetInput]:
    """The training rows as MLflow's dataset entities, one a split."""
    return [
        DatasetInput(
            Dataset(
                name=f"{day.summary['date']} {split}",
                digest=day.rows_digest[:36],
                source_type="local",
                source=json.dumps({"uri": str(day.training_rows / f"Split-{split}")}),
                profile=json.dumps({"num_rows": rows}),
            ),
            tags=[InputTag(MLFLOW_DATASET_CONTEXT, split)],
        )
        for split, rows in day.rows.items()
    ]


def _remove_earlier(client: MlflowClient, experiment: str, run_id: str) -> None:
    for run in client.search_runs(
        [experiment], f"tags.{RUN_TAG} = {json.dumps(run_id)}", ViewType.ACTIVE_ONLY
    ):
        for version in client.search_model_versions(f"run_id = '{run.info.run_id}'"):
            client.delete_model_version(version.name, version.version)
        client.delete_run(run.info.run_id)


def _days_so_far(
    client: MlflowClient, experiment: str, day: Day, measured: Mapping[str, float]
) -> list[over_days.Past]:
    """The newest run of each span, this day's own instead of those of its span, oldest first."""
    days: dict[int, over_days.Past] = {}
    newest_first = client.search_runs([experiment], order_by=["start_time DESC"], max_results=_DAYS_SHOWN)
    for run in reversed(newest_first):
        values, tags = run.data.metrics, run.data.tags
        if MLFLOW_PARENT_RUN_ID in tags:
            continue
        days[int(tags[SPAN_TAG])] = over_days.Past(tags[DATE_TAG], values.get("gate/blessed") == 1.0, values)
    days[day.summary["span"]] = over_days.Past(day.summary["date"], day.verdict["blessed"], measured)
    return [days[span] for span in sorted(days)]


def _told(day: over_days.Past, metric: str) -> dict[str, Any]:
    """A day as the plots take it."""
    values = {task: day.metrics.get(f"{task}/{metric}") for task in ("old", "new")}
    return {"date": day.date, "blessed": day.blessed, "cost": day.metrics.get("cost/row_epochs"), **values}
