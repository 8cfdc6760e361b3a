"""Waits for a day's folder, until a deadline: then the day is late, which is no failure."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from pipelines.client import run_step
from schemas.home import Home

POKE = timedelta(minutes=2)
DEFAULT_HOURS = float(os.environ.get("EVERLEARN_AIRFLOW_WAIT_HOURS", "6"))
"""After the end of a scheduled run's day; the DAG's parameter comes before it."""
STREAM_DAYS = 7
"""Where none of so many days before came either, no stream is running: nothing is awaited."""


class DayFolderSensor(BaseSensorOperator):
    """Succeeds when the day's folder is there; skips itself, and so the run, when the deadline has passed.

    Reschedule mode: between two looks the task holds no slot and no process; the scheduler starts it again.
    A deferrable sensor would need a triggerer process besides, for a look at one folder every few minutes.
    A run by hand does not wait unless it is told to, nor does one of a day long past, as in a backfill.
    """

    def __init__(self, *, day_of: Callable[[Context], str], **kwargs: object) -> None:
        super().__init__(mode="reschedule", poke_interval=POKE, timeout=timedelta(days=2), **kwargs)
        self.day_of = day_of

    def poke(self, context: Context) -> bool:
        home = Home.from_environment()
        day, events = self.day_of(context), home.events
        if home.inbox.exists():
            run_step(home.root, ["inbox"], print)
        hours = context["params"]["wait_hours"]
        if context["dag_run"].run_type == "manual" and hours is None:
            return True  # the plan says in a sentence what is missing
        if has_files(events / day):
            return True
        deadline = context["dag_run"].run_after + timedelta(hours=DEFAULT_HOURS if hours is None else hours)
        if not is_stream(events, day):
            reason = f"neither its events nor any of the {STREAM_DAYS} days before are there"
        elif datetime.now(timezone.utc) < deadline:
            print(f"Waiting for the events of {day} until {deadline:%Y-%m-%d %H:%M} UTC.")
            return False
        else:
            reason = f"no events by {deadline:%Y-%m-%d %H:%M} UTC"
        late = f"{day} is late: {reason}. It will be learned by a later run, once it has come."
        context["ti"].xcom_push(key="late", value=late)
        raise AirflowSkipException(late)


def has_files(folder: Path) -> bool:
    """Whether a version of the day is there."""
    return any(folder.glob("ver-*/*"))


def is_stream(events: Path, day: str) -> bool:
    """Whether one of the days before `day` has come."""
    last = datetime.fromisoformat(day)
    before = (last - timedelta(days=back) for back in range(1, STREAM_DAYS + 1))
    return any(has_files(events / f"{day:%Y-%m-%d}") for day in before)
