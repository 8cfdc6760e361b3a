"""The wait for a day's folder: until it is there, or late."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from dags import daily, day_sensor

WAIT = daily.dag.get_task("wait")
TODAY = dt.datetime.now(dt.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
DAY = TODAY - dt.timedelta(days=1)


@pytest.fixture
def events(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EVERLEARN_HOME", str(tmp_path))
    return tmp_path / "data" / "events"


def deliver(events: Path, day: dt.datetime, folder: str = "ver-1") -> None:
    place = events / f"{day:%Y-%m-%d}" / folder
    place.mkdir(parents=True)
    (place / "events.csv").touch()


def context(run_type: str = "scheduled", hours: float | None = None, day: dt.datetime = DAY) -> dict:
    """A run of `day` that begins when the day is over."""
    left: dict[str, str] = {}
    return {
        "params": {"span": "", "force": False, "wait_hours": hours},
        "dag_run": SimpleNamespace(run_type=run_type, run_after=day + dt.timedelta(days=1)),
        "data_interval_start": day,
        "ti": SimpleNamespace(xcom_push=lambda key, value: left.update({key: value}), left=left),
    }


def test_a_day_that_is_there_is_not_waited_for(events: Path) -> None:
    deliver(events, DAY)
    assert WAIT.poke(context()) is True


def test_a_run_waits_while_the_day_may_still_come(events: Path) -> None:
    deliver(events, DAY - dt.timedelta(days=1))
    deliver(events, DAY, ".being written")
    assert WAIT.poke(context(hours=48)) is False
    deliver(events, DAY)
    assert WAIT.poke(context(hours=48)) is True


def test_after_the_deadline_the_day_is_late_and_the_run_skipped(events: Path) -> None:
    deliver(events, DAY - dt.timedelta(days=1))
    run = context(hours=0)
    with pytest.raises(
        AirflowSkipException, match=f"{DAY:%Y-%m-%d} is late: no events by {TODAY:%Y-%m-%d} 00:00"
    ):
        WAIT.poke(run)
    assert "will be learned by a later run" in run["ti"].left["late"]


def test_a_scheduled_run_has_its_hours_from_the_environment(events: Path, monkeypatch) -> None:
    deliver(events, DAY - dt.timedelta(days=1))
    monkeypatch.setattr(day_sensor, "DEFAULT_HOURS", 48.0)
    assert WAIT.poke(context()) is False
    monkeypatch.setattr(day_sensor, "DEFAULT_HOURS", 0.0)
    with pytest.raises(AirflowSkipException, match="is late"):
        WAIT.poke(context())


def test_a_day_long_past_is_late_at_once(events: Path) -> None:
    past = DAY - dt.timedelta(days=300)
    deliver(events, past - dt.timedelta(days=1))
    with pytest.raises(AirflowSkipException, match="is late"):
        WAIT.poke(context("backfill", day=past))


def test_where_no_day_has_come_for_a_week_none_is_awaited(events: Path) -> None:
    deliver(events, DAY - dt.timedelta(days=8))
    with pytest.raises(AirflowSkipException, match="nor any of the 7 days before are there"):
        WAIT.poke(context(hours=48))


def test_a_run_by_hand_does_not_wait_unless_it_is_told_to(events: Path) -> None:
    deliver(events, DAY - dt.timedelta(days=1))
    assert WAIT.poke(context("manual")) is True
    assert WAIT.poke(context("manual", hours=48)) is False


def test_waiting_holds_no_slot_and_stands_before_the_plan() -> None:
    assert WAIT.mode == "reschedule"
    assert WAIT.downstream_task_ids == {"plan"}
