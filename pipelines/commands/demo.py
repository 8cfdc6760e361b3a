"""`everlearn demo`: the tour that `make demo` gives."""

from __future__ import annotations

import typer
from rich.console import Console

from schemas.home import Home

app = typer.Typer()


@app.command()
def demo() -> None:
    """Real data, a first champion, three days under Airflow, recommendations over REST."""
    from pipelines.demo import demo as tour

    tour(Home.from_environment(), Console(highlight=False).print)
