"""`everlearn up`, `everlearn down`: Airflow, MLflow and the model server together, loopback only."""

from __future__ import annotations

import typer

from schemas.home import Home

app = typer.Typer()


@app.command()
def up() -> None:
    """Start Airflow's UI and scheduler, the MLflow UI, model server, gateway and warm worker."""
    from components.pusher.repair import repair
    from pipelines import stack

    home = Home.from_environment()
    repair(home.serving, home.mlflow_uri)
    stack.up(home)


@app.command()
def down() -> None:
    """Stop everything that `up` started."""
    from pipelines import stack

    stack.down(Home.from_environment())
