"""`everlearn rollback`, `lineage`, `reproduce`, `audit`: what is served, where from, and if it is true."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pipelines import config as settings
from pipelines import environment
from pipelines.commands.tables import narrow
from schemas import lineage as lineages
from schemas.home import Home
from schemas.lineage import Lineage
from schemas.spans import date_of

app = typer.Typer()
console = Console(highlight=False, soft_wrap=True)

To = Annotated[
    int | None,
    typer.Option("--to", help="Version to serve again; by default the last with other weights than now"),
]

Version = Annotated[int, typer.Argument(help="A served version's number")]
SHORT = 8
"""Digits of a digest: the table fits 80 columns."""


@app.command()
def rollback(to: To = None) -> None:
    """Serve an earlier model again, under a higher number; what came after it is never a base again."""
    home = Home.from_environment()
    config = settings.load(home)
    with console.status("export, smoke test, push"):
        from pipelines import rollback as rolling

        environment.quieten()
        done = rolling.rollback(home, config, to)
    taken = ", ".join(map(str, done.rolled_back))
    console.print(
        f"version {done.version} serves version {done.parent} again, with data up to {date_of(done.span)}"
    )
    console.print(f"taken back: {taken}; the next run learns what version {done.parent} had not learned")


@app.command()
def lineage(version: Version) -> None:
    """Where a version came from: its ancestors, what each learned, data, settings, code, verdict."""
    home = Home.from_environment()
    line = lineages.chain(home.serving, _existing(home, version))
    columns = ("version", "kind", "day", "learned then", "weights", "data", "verdict")
    table = narrow(*columns)
    before: set[int] = set()
    for one in line:
        fresh = sorted(set(one.spans_learned) - before) if one.kind == lineages.LEARNED else []
        before = set(one.spans_learned)
        learned = _days(fresh, one)
        digests = one.model_digest[:SHORT], one.data_digest[:SHORT]
        table.add_row(str(one.version), one.kind, str(date_of(one.span)), learned, *digests, one.verdict)
    console.print(table)
    asked = line[-1]
    console.print(f"version {version}: {len(asked.spans_learned)} days learned, pushed {asked.created}")
    for title, value in (
        ("settings", asked.config_digest),
        ("code", asked.code_digest),
        ("weights", asked.model_digest),
        ("data state", asked.data_digest),
        ("model", asked.model_uri),
        ("TFX run", asked.run_id),
        ("MLflow run", asked.mlflow_run_id),
        ("takes back", ", ".join(map(str, asked.rolled_back))),
    ):
        if value:
            console.print(f"  {title:11} {value}")


@app.command()
def reproduce(version: Version) -> None:
    """Train a version again from its recorded base, rows and settings, and compare every array."""
    home = Home.from_environment()
    _existing(home, version)
    with console.status("training again"):
        from pipelines.reproduce import again

        environment.quieten()
        learned, differences, changed = again(home, version)
    if learned.version != version:
        console.print(f"version {version} serves the weights of version {learned.version}")
    for sentence in changed:
        console.print(f"changed since: {sentence}")
    if not differences:
        console.print(f"version {learned.version}: equal, every array bit by bit")
        return
    for sentence in differences:
        console.print(f"  {sentence}")
    raise ValueError(f"version {learned.version} made again is not what it was: see above what differs")


def _existing(home: Home, version: int) -> int:
    numbers = lineages.versions(home.serving)
    if version not in numbers:
        there = f"{numbers[0]} to {numbers[-1]} are there" if numbers else "nothing is served yet"
        raise ValueError(f"there is no version {version}: {there}")
    return version


def _days(spans: list[int], version: Lineage) -> str:
    """`2024-03-04 to 2024-03-13`, with the versions of the days' files that are not the first."""
    if not spans:
        return ""
    days = [str(date_of(span)) for span in spans]
    numbers = {day: version.data_versions.get(day, 1) for day in days}
    later = ", ".join(f"{day} ver-{number}" for day, number in numbers.items() if number > 1)
    stretch = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)})"
    return f"{stretch}; {later}" if later else stretch


@app.command()
def audit() -> None:
    """Prove from the artifacts that the champion learned every accepted event exactly once, and no future."""
    home = Home.from_environment()
    with console.status("reading events and rows"):
        from pipelines.audit import of_champion

        champion, found = of_champion(home)
    console.print(f"champion: version {champion.version}, {len(champion.spans_learned)} days learned")
    console.print(
        f"accepted {found.accepted:,} = learned {found.learned:,} + held out {found.held_out:,}"
        f" + weightless {found.weightless:,} + not yet learned {found.not_yet_learned:,}"
    )
    if found.withdrawn:
        console.print(f"withdrawn after they were learned: {found.withdrawn:,}")
    if found.broken:
        for sentence in found.broken:
            console.print(f"  {sentence}")
        raise ValueError(f"the audit failed on {len(found.broken)} rules: see the first event of each above")
    console.print(f"every rule holds over {found.rows:,} rows learned")
