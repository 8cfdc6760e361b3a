"""`everlearn gateway`, `import inbox`, `outcomes`: over HTTP and back into the days; what became of lists."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.table import Table

from pipelines import config as settings
from pipelines.commands import importing
from schemas.home import Home

app = typer.Typer()


@app.command()
def gateway() -> None:
    """Take events and give recommendations over HTTP; variables EVERLEARN_GATEWAY_… are its settings."""
    os.environ["EVERLEARN_HOME"] = str(Home.from_environment().root)
    os.execv(sys.executable, [sys.executable, "-m", "serving.gateway"])  # noqa: S606 - our own program


@importing.app.command(name="inbox")
def import_inbox() -> None:
    """Bring the events that the gateway took in into their day folders."""
    from pipelines.inbox import fold_inbox

    summaries = fold_inbox(Home.from_environment())
    for summary in summaries:
        importing.tell(summary)
    if not summaries:
        importing.console.print("The inbox holds nothing new.")


@app.command()
def outcomes(
    hours: Annotated[
        float, typer.Option(min=0.01, help="How long after a list an event counts for it")
    ] = 24.0,
    mlflow: Annotated[bool, typer.Option(help="Write the hit rates into the versions' MLflow runs")] = True,
) -> None:
    """Join what was served with what users did then: hit rate by model version."""
    from pipelines.outcomes import log_to_mlflow
    from pipelines.outcomes import outcomes as joined

    home = Home.from_environment()
    found = joined(home, settings.load(home).events, hours)
    table = Table("version", "source", "lists", "hit rate", "mean position of the first hit")
    for one in found:
        position = "" if one.mean_position is None else f"{one.mean_position:.1f}"
        table.add_row(str(one.version), one.source, f"{one.lists:,}", f"{one.hit_rate:.1%}", position)
    importing.console.print(table if found else "No list's window has ended by the last day with events.")
    if mlflow:
        log_to_mlflow(home, found)
