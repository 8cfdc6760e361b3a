"""Every N weeks (`challenger.weeks`) all days are learned anew; what comes of it stands at the gate."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Context, CronDataIntervalTimetable

from dags.defaults import DEFAULTS
from dags.step_operator import run_of_a_day


def arguments(context: Context) -> list[str]:
    """The plan itself says whether a challenger is due; where none is, all other tasks are skipped."""
    return ["--challenger"]


with DAG(
    "everlearn_challenger",
    description="Holds a model learned anew from all days against the champion, every N weeks",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 12 * * 0", timezone="UTC"),
    default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
    **DEFAULTS,
) as dag:
    run_of_a_day(arguments)
