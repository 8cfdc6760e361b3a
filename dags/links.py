"""A task's extra links. Airflow computes them when the task has ended and keeps them as XComs."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink

from pipelines.anatomy import STEPS
from pipelines.links import mlflow_run
from schemas.home import Home

GATE = next(f"{step.group}.{step.node}" for step in STEPS if step.node == "Gate")


class MlflowRun(BaseOperatorLink):
    """The day in MLflow; before it is recorded, the list in which it will appear."""

    name = "MLflow run"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        return mlflow_run(Home.from_environment(), operator.run_id)


class GateVerdict(BaseOperatorLink):
    """Why the candidate was promoted or rejected: what the gate's task left as XCom."""

    name = "Gate verdict"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        return f"/dags/{ti_key.dag_id}/runs/{ti_key.run_id}/tasks/{GATE}/xcom"
