"""Tasks that hand their step to the pipeline's own environment: first a plan, then a task a TFX node."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context, TaskGroup
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from dags.links import GateVerdict, MlflowRun
from pipelines import lease
from pipelines.anatomy import GROUPS, PUSH, STEPS
from pipelines.client import StepError, run_step
from schemas.home import MODEL_NAME, Home

PLAN = "plan"
MODEL = Asset(name=MODEL_NAME, uri=f"everlearn://models/{MODEL_NAME}")


def let_go(context: Context) -> None:
    """A run whose task has failed for good keeps no other run waiting."""
    lease.release(Home.from_environment(), lease.of_airflow(context["run_id"]))


class StepOperator(BaseOperator):
    """Runs one step: its words go to the task log, its outcome is the task's XCom."""

    operator_extra_links = (MlflowRun(), GateVerdict())
    run_id = ""
    """The TFX run id, once known: what the links look for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(on_failure_callback=let_go, **kwargs)

    def step(self, *argv: str) -> dict[str, Any]:
        try:
            return run_step(Home.from_environment().root, list(argv), print)
        except StepError as error:
            raise AirflowException(str(error)) from None


class PlanOperator(StepOperator):
    """Mints the TFX run id of this attempt; where there is nothing to do all other tasks are skipped."""

    def __init__(self, *, arguments: Callable[[Context], list[str]], **kwargs: Any) -> None:
        super().__init__(task_id=PLAN, doc_md="Mints the TFX run id of this attempt.", **kwargs)
        self.arguments = arguments

    def execute(self, context: Context) -> dict[str, Any]:
        plan = self.step("plan", *self.arguments(context), "--airflow-run-id", context["run_id"])
        if plan["skip"]:
            raise AirflowSkipException(plan["skip"])
        self.run_id = plan["run_id"]
        return plan


class NodeOperator(StepOperator):
    """Runs one TFX node of the attempt. A retry repeats this node only, under the same TFX run id."""

    def __init__(self, *, node: str, **kwargs: Any) -> None:
        super().__init__(task_id=node, **kwargs)
        self.node = node

    def execute(self, context: Context) -> dict[str, Any]:
        plan = context["ti"].xcom_pull(task_ids=PLAN)
        self.run_id = plan["run_id"]
        outcome = self.step("node", "--run", json.dumps(plan), self.node)
        if verdict := outcome.get("blessing"):
            sentence = f"{verdict['status']}: {'; '.join(verdict['reasons'])}"
            print(sentence)
            context["ti"].xcom_push(key="verdict", value=sentence)
        if self.outlets:
            if not outcome.get("pushed"):
                raise AirflowSkipException("Nothing was pushed: later days were learned already.")
            context["outlet_events"][MODEL].extra = outcome["pushed"]
        return outcome


def run_of_a_day(arguments: Callable[[Context], list[str]]) -> PlanOperator:
    """Every task of a run, in the task groups of `pipelines.anatomy`; the first, the plan, is returned."""
    tasks: dict[str, BaseOperator] = {}
    plan = PlanOperator(arguments=arguments)
    groups = {name: TaskGroup(name) for name in GROUPS}
    for step in STEPS:
        outlets = [MODEL] if step.node == PUSH else []
        task = NodeOperator(
            node=step.node, task_group=groups[step.group], doc_md=f"{step.title}.", outlets=outlets
        )
        task.set_upstream([tasks[node] for node in step.after] or plan)
        tasks[step.node] = task
    return plan
