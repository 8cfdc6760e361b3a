"""`everlearn gateway`, `everlearn import inbox`: events and recommendations over HTTP, and the way back."""

from __future__ import annotations

import os
import sys

import typer

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
