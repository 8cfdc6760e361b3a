"""Runs DAGs of a deployment through Airflow's REST interface and tells how they get on."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from pipelines.services import AIRFLOW_USER, Ports, airflow_password
from schemas.home import Home

DAILY, BOOTSTRAP = "everlearn_daily", "everlearn_bootstrap"
FINISHED = ("success", "failed")
TOLD = ("success", "skipped", "failed", "up_for_retry")
DAG_SECONDS = 90.0
"""How long a new deployment may take until it has read its DAG files."""

OnTask = Callable[[str, str, float | None], None]
"""Called with a task's id, its new state and, once it has ended, its seconds."""


class AirflowError(RuntimeError):
    """Airflow refused a request; the sentence is its own."""


def run_day(home: Home, day: dt.date, say: Callable[[str], None], *, again: bool = False) -> str:
    """`Airflow.run_day` with a line for every task that ends."""

    def on_task(task: str, state: str, seconds: float | None) -> None:
        if seconds is not None and state in TOLD:
            say(f"    {task:24} {state:12} {seconds:6.1f} s")

    return Airflow(home).run_day(day, on_task, again=again)


class Airflow:
    """A client that has signed in at the deployment of one state folder."""

    def __init__(self, home: Home) -> None:
        address = (Ports.read(home) or Ports()).airflow_url
        self.http = httpx.Client(base_url=address, timeout=30, trust_env=False)
        login = {"username": AIRFLOW_USER, "password": airflow_password(home)}
        token = self._ask("POST", "/auth/token", json=login)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def bootstrap(self, first: dt.date, last: dt.date, on_task: OnTask) -> str:
        """Runs the bootstrap DAG over a stretch of days; its final state."""
        self.unpause(BOOTSTRAP)
        run = self._trigger(BOOTSTRAP, conf={"first": f"{first}", "last": f"{last}"})
        return self.wait(BOOTSTRAP, run["dag_run_id"], on_task)

    def run_day(self, day: dt.date, on_task: OnTask, *, again: bool = False) -> str:
        """Runs the daily DAG for the data interval of `day`; its final state.

        A run of that interval which succeeded is left as it is, one under way is followed, one that failed
        goes on where it failed; `again` makes a new run of the day in any case. (No backfill: Airflow refuses
        a second one for up to 30 s after the first has ended.)
        """
        self.unpause(DAILY)
        if again:
            run = self._trigger(DAILY, conf={"span": f"{day}", "force": True})
        else:
            run = self.run_of(day) or self._trigger(
                DAILY,
                dag_run_id=f"day__{day}",
                logical_date=_midnight(day),
                data_interval_start=_midnight(day),
                data_interval_end=_midnight(day + dt.timedelta(days=1)),
                run_after=_midnight(day + dt.timedelta(days=1)),  # by which the grid orders and labels runs
            )
        address = f"/api/v2/dags/{DAILY}/dagRuns/{run['dag_run_id']}"
        if run["state"] == "failed":
            self._ask("POST", f"{address}/clear", json={"dry_run": False, "only_failed": True})
        return self.wait(DAILY, run["dag_run_id"], on_task)

    def unpause(self, dag: str) -> None:
        """Lets a DAG run, once Airflow has read its file."""
        deadline = time.monotonic() + DAG_SECONDS
        while self.http.get(f"/api/v2/dags/{dag}").status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.5)
        self._ask("PATCH", f"/api/v2/dags/{dag}", json={"is_paused": False})

    def wait(self, dag: str, run: str, on_task: OnTask) -> str:
        """Follows a run to its end; `success` or `failed`."""
        told: dict[str, str] = {}
        while True:
            state = self._ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"]
            for task, now, seconds in self.tasks(dag, run):
                if now and told.get(task) != now:
                    told[task] = now
                    on_task(task, now, seconds)
            if state in FINISHED:
                return state
            time.sleep(0.3)

    def tasks(self, dag: str, run: str) -> Iterator[tuple[str, str | None, float | None]]:
        """Id, state and seconds of each task of a run, in the order in which they started."""
        listed = self._ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?order_by=start_date")
        for one in listed["task_instances"]:
            yield one["task_id"], one["state"], one["duration"]

    def xcom(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:
        """What a task left under `key`; None where it left nothing."""
        address = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/{key}"
        answer = self.http.get(address, params={"deserialize": False})
        return answer.json()["value"] if answer.status_code == 200 else None

    def run_of(self, day: dt.date) -> dict[str, Any] | None:
        """The daily run whose data interval starts at `day`."""
        bounds = {"logical_date_gte": _midnight(day), "logical_date_lte": _midnight(day)}
        runs = self._ask("GET", f"/api/v2/dags/{DAILY}/dagRuns", params=bounds)["dag_runs"]
        return runs[0] if runs else None

    def _trigger(self, dag: str, logical_date: str | None = None, **body: Any) -> dict[str, Any]:
        return self._ask("POST", f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": logical_date, **body})

    def _ask(self, method: str, address: str, **arguments: Any) -> Any:
        answer = self.http.request(method, address, **arguments)
        if answer.is_error:
            raise AirflowError(f"Airflow refused {method} {address}: {_detail(answer)}")
        return answer.json()


def _midnight(day: dt.date) -> str:
    return f"{day}T00:00:00Z"


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError):
        return answer.text[:200]
