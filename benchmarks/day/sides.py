"""The three ways through the same day, each timed from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.day.items import Shares, executions, share_out
from pipelines import stack
from pipelines.airflow_api import DAILY, Airflow
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of

PLAIN, EVERLEARN, AIRFLOW = "plain TFX", "everlearn run", "Airflow"
SETTLE_SECONDS = 60


def plain(day_csv: Path, work: Path) -> Shares:
    """Where the seconds went of the plain pipeline, in a process of its own."""
    timings, root = work / "plain.json", work / "plain"
    command = [sys.executable, "-m", "benchmarks.day.plain_tfx", "--day", str(day_csv.parent)]
    began = time.time()
    _run([*command, "--timings", str(timings), "--root", str(root)], work / "plain.log")
    total = time.time() - began
    imports = json.loads(timings.read_text())["imports"]
    return share_out(executions(root / "metadata.sqlite", began), total, imports)


def everlearn(home: Home, span: int, work: Path) -> Shares:
    """Where the seconds went of `everlearn run --date`, from the command's start to its end."""
    timings = work / "everlearn.json"
    command = [str(Path(sys.executable).with_name("everlearn")), "run", "--date", f"{date_of(span)}"]
    began = time.time()
    _run([*command, "--timings", str(timings)], work / "everlearn.log", EVERLEARN_HOME=str(home.root))
    total = time.time() - began
    _expect_pushed(home, span)
    return share_out(executions(home.metadata, began), total, json.loads(timings.read_text())["imports"])


def airflow(home: Home, span: int, say: Callable[[str], None]) -> Shares:
    """Where the seconds went of the daily DAG's run, from trigger to success; scheduler and worker warm."""
    stack.up(home, (*stack.AIRFLOW, "worker"), say=say)
    try:
        api = Airflow(home)
        api.unpause(DAILY)
        _settle(api)
        began = time.time()
        state = api.run_day(date_of(span), lambda task, state, seconds: None)
        total = time.time() - began
    finally:
        stack.down(home, say=say)
    if state != "success":
        raise SystemExit(f"the Airflow run of {date_of(span)} ended as {state}: see {home.airflow / 'logs'}")
    _expect_pushed(home, span)
    return share_out(executions(home.metadata, began), total, 0.0)


def _settle(api: Airflow) -> None:
    """Unpausing starts the latest scheduled run at once; it has no data here, skips, and is not measured."""
    deadline = time.monotonic() + SETTLE_SECONDS
    time.sleep(5)
    while time.monotonic() < deadline:
        runs = api.http.get(f"/api/v2/dags/{DAILY}/dagRuns").json()["dag_runs"]
        if runs and all(run["state"] in ("success", "failed") for run in runs):
            return
        time.sleep(0.5)


def _expect_pushed(home: Home, span: int) -> None:
    champion = lineage.champion(home.serving)
    if champion is None or champion.span != span:
        raise SystemExit(f"nothing was pushed for {date_of(span)}: the time would not compare")


def _run(command: list[str], log: Path, **variables: str) -> None:
    with log.open("w") as output:
        environment = os.environ | variables
        done = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: see {log}")
