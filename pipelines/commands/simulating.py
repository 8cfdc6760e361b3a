"""`everlearn simulate`: days of a made-up shop of which the best possible recall is known."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from components.simulator.config import SimulatorConfig
from schemas.home import Home
from schemas.spans import parse_date

app = typer.Typer()
console = Console(highlight=False, soft_wrap=True)

_FIELDS = SimulatorConfig.model_fields


@app.command()
def simulate(
    days: Annotated[int, typer.Option(min=1, help="How many days")] = _FIELDS["days"].default,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same days")] = 0,
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD")] = str(_FIELDS["start"].default),
    users: Annotated[int, typer.Option(min=1, help="People on the first day")] = _FIELDS["users"].default,
    items: Annotated[int, typer.Option(min=30, help="Items on the first day")] = _FIELDS["items"].default,
    events_per_day: Annotated[
        int, typer.Option(min=1, help="Clicks, carts and purchases a day, about")
    ] = _FIELDS["events_per_day"].default,
) -> None:
    """Write days of a made-up shop into EVERLEARN_HOME, and what the best recommender would reach on them."""
    from components.simulator.simulate import truth_path, write

    home = Home.from_environment()
    config = SimulatorConfig(
        days=days, seed=seed, start=parse_date(start), users=users, items=items, events_per_day=events_per_day
    )
    found = write(config, home)
    console.print(
        f"{found['events']:,} events on {days:,} days from {start}; {found['days_written']:,} days written\n"
        f"best possible recall@20, knowing every taste: {found['best_recall']:.4f} ({truth_path(home)})"
    )
