"""The first champion: a stretch of days learned in one run."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Context, Param

from dags.defaults import DEFAULTS
from dags.step_operator import run_of_a_day

DATE = r"^\d{4}-\d{2}-\d{2}$"


def arguments(context: Context) -> list[str]:
    """What the plan is told: the stretch from `first` to `last`."""
    return ["--span", context["params"]["last"], "--first", context["params"]["first"]]


with DAG(
    "everlearn_bootstrap",
    description="Learns a first champion from a stretch of days",
    doc_md=__doc__,
    schedule=None,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=15)},
    params={
        "first": Param(type="string", pattern=DATE, description="First day (YYYY-MM-DD)."),
        "last": Param(type="string", pattern=DATE, description="Last day (YYYY-MM-DD)."),
    },
    **DEFAULTS,
) as dag:
    run_of_a_day(arguments)
