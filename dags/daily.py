"""The day: ingest what came, learn it, judge it, push it."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Context, CronDataIntervalTimetable, Param

from dags.day_sensor import DayFolderSensor
from dags.defaults import DEFAULTS
from dags.step_operator import run_of_a_day

DATE = r"^(\d{4}-\d{2}-\d{2})?$"


def arguments(context: Context) -> list[str]:
    """What the plan is told: the day of this run, and whether it is to be run again."""
    return ["--span", day_of(context), *(["--force"] if context["params"]["force"] else [])]


def day_of(context: Context) -> str:
    """The day that was asked for, else that at which the data interval starts, else (by hand) yesterday."""
    if asked := context["params"]["span"]:
        return asked
    start = context.get("data_interval_start") or context["dag_run"].run_after - timedelta(days=1)
    return f"{start:%Y-%m-%d}"


with DAG(
    "everlearn_daily",
    description="Learns one day: quality, features, replay, training, gate, push",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=10),
    },
    params={
        "span": Param("", type="string", pattern=DATE, description="Day (YYYY-MM-DD); empty: the run's own."),
        "force": Param(False, type="boolean", description="Run a day again that was learned already."),
        "wait_hours": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=23,
            description="Hours to wait for the day's events; empty: 6 in a scheduled run, none by hand.",
        ),
    },
    **DEFAULTS,
) as dag:
    DayFolderSensor(task_id="wait", day_of=day_of, doc_md="Waits for the day's events.") >> run_of_a_day(
        arguments
    )
