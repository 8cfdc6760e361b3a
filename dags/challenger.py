"""Every N weeks (`challenger.weeks`) all days are learned anew; what comes of it stands at the gate."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, Context, CronDataIntervalTimetable

from dags.step_operator import run_of_a_day


def arguments(context: Context) -> list[str]:
    """The plan itself says whether a challenger is due; where none is, all other tasks are skipped."""
    return ["--challenger"]


with DAG(
    "everlearn_challenger",
    description="Holds a model learned anew from all days against the champion, every N weeks",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 12 * * 0", timezone="UTC"),
    start_date=datetime(2000, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["everlearn"],
) as dag:
    run_of_a_day(arguments)
