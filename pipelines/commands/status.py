"""`everlearn status`, `everlearn config`: where a deployment stands and what it is set to."""

from __future__ import annotations

import json
from typing import Annotated

import typer
import yaml
from rich.console import Console

from components.events.read import available_spans
from components.quality.handing_on import still_broken
from pipelines import config as settings
from pipelines.commands.tables import narrow
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of, parse_date, span_of

app = typer.Typer()
console = Console(highlight=False)


@app.command()
def status(
    date: Annotated[str | None, typer.Option(help="The account of this day, YYYY-MM-DD")] = None,
) -> None:
    """Days brought in, versions pushed, the champion; with --date what became of a day's rows."""
    home = Home.from_environment()
    if date is not None:
        _tell_day(home, span_of(parse_date(date)))
        return
    console.print(f"state: {home.root}")
    spans = available_spans(home.events)
    if not spans:
        console.print("no days yet: `everlearn import csv FILE …` or `everlearn import complete-journey`")
        return
    console.print(f"days: {len(spans)}, {date_of(min(spans))} to {date_of(max(spans))}")
    versions = lineage.history(home.serving)
    if not versions:
        console.print("no champion yet: `everlearn bootstrap --from DATE --to DATE`")
        return
    columns = ("version", "day", "kind", "parent", "days", "verdict", "pushed (UTC)")
    table = narrow(*columns)
    for one in versions[-20:]:
        parent = "" if one.parent is None else str(one.parent)
        learned = str(len(one.spans_learned))
        table.add_row(
            str(one.version),
            str(date_of(one.span)),
            one.kind,
            parent,
            learned,
            one.verdict,
            one.created[:16].replace("T", " "),
        )
    console.print(table)
    champion = versions[-1]
    unlearned = [span for span in spans if span <= champion.span and span not in champion.spans_learned]
    console.print(f"champion: version {champion.version}; days up to it not learned yet: {len(unlearned)}")
    for line in still_broken(home.broken, home.events).values():
        console.print(line, markup=False)
    _tell_concept_drift(home)


def _tell_concept_drift(home: Home) -> None:
    """What the latest run found, and every alarm until then."""
    reports = (home.pipelines / "ConceptDrift" / "report").glob("*/report.json")  # a folder an execution
    latest = max(reports, key=lambda path: int(path.parent.name), default=None)
    if latest is not None:
        report = json.loads(latest.read_text())
        console.print(report["sentence"], markup=False)
        if report["alarms"]:
            console.print(f"concept drift was alarmed on: {', '.join(report['alarms'])}")


def _tell_day(home: Home, span: int) -> None:
    from pipelines.day_account import absent, day_account, told

    account = day_account(home, span)
    console.print("\n".join(told(account)) if account else absent(home, span))


@app.command()
def config() -> None:
    """Every setting in force, as YAML."""
    in_force = settings.load(Home.from_environment()).model_dump(mode="json")
    console.print(yaml.safe_dump(in_force, sort_keys=False))
