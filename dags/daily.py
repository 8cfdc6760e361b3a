"""The day: ingest what came, learn it, judge it, push it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, Context, CronDataIntervalTimetable, Param
from airflow.sdk.exceptions import AirflowSkipException

from dags.step_operator import run_of_a_day
from schemas.home import Home

DATE = r"^(\d{4}-\d{2}-\d{2})?$"


def arguments(context: Context) -> list[str]:
    """What the plan is told: the day of this run, and whether it is to be run again."""
    params = context["params"]
    day = params["span"] or day_of(context)
    if context["dag_run"].run_type == "scheduled" and not (Home.from_environment().events / day).is_dir():
        raise AirflowSkipException(f"No events of {day} are there: import them, then clear this run.")
    return ["--span", day, *(["--force"] if params["force"] else [])]


def day_of(context: Context) -> str:
    """The day at which the data interval starts; yesterday for a manual run that has none."""
    start = context.get("data_interval_start") or context["dag_run"].run_after - timedelta(days=1)
    return f"{start:%Y-%m-%d}"


with DAG(
    "everlearn_daily",
    description="Learns one day: quality, features, replay, training, gate, push",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2000, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=10),
    },
    params={
        "span": Param("", type="string", pattern=DATE, description="Day (YYYY-MM-DD); empty: the run's own."),
        "force": Param(False, type="boolean", description="Run a day again that was learned already."),
    },
    tags=["everlearn"],
) as dag:
    run_of_a_day(arguments)
