"""The way back: an earlier model is published again under a higher number, within seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Context, Param

from dags.defaults import DEFAULTS
from dags.step_operator import MODEL, StepOperator


class RollbackOperator(StepOperator):
    """Serves an earlier model again; a retry finds what was done and does not go back twice."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(outlets=[MODEL], **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        to = context["params"]["to"]
        wanted = [] if to is None else ["--to", str(to)]
        outcome = self.step("rollback", *wanted, "--airflow-run-id", context["run_id"])
        context["outlet_events"][MODEL].extra = {"version": outcome["version"], "kind": outcome["kind"]}
        return outcome


with DAG(
    "everlearn_rollback",
    description="Serves an earlier model again and takes back what came after it",
    doc_md=__doc__,
    schedule=None,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=5)},
    params={
        "to": Param(
            None,
            type=["null", "integer"],
            description="Version to serve again; empty: the last one with other weights than the champion's.",
        ),
    },
    **DEFAULTS,
) as dag:
    RollbackOperator(task_id="rollback", doc_md=__doc__)
