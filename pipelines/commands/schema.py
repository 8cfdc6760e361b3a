"""`everlearn schema`: what the data contract could say, as imported days suggest it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines import config as settings
from schemas.home import Home
from schemas.spans import date_of, parse_date, span_of

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

DAYS = 28


@app.callback()
def schema() -> None:
    """The data contract."""


@app.command()
def infer(
    out: Annotated[Path, typer.Argument(help="Folder for the proposal")] = Path("schema-proposal"),
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD")] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day, YYYY-MM-DD; by default the newest")
    ] = None,
) -> None:
    """Propose expectation suites and a schema of the rows from imported days, for a person to edit."""
    import schemas
    from components.drift import infer as rows_schema
    from components.events import store
    from components.events.read import available_spans, read_stretch
    from components.features.stretch import advance_stretch
    from components.features.tables import read_table
    from components.quality import infer as suites

    home = Home.from_environment()
    spans = available_spans(home.events)
    if last is not None:
        spans = [span for span in spans if span <= span_of(parse_date(last))]
    spans = (
        [span for span in spans if span >= span_of(parse_date(first))] if first is not None else spans[-DAYS:]
    )
    if not spans:
        raise ValueError("there are no imported days there: `everlearn status` says which there are")
    config = settings.load(home)
    with tempfile.TemporaryDirectory() as folder, console.status("looking at the days"):
        read_stretch(home.events, spans[0], spans[-1], folder, config.events)
        raw = store.read_raw(folder)
        facts = suites.measure(raw.filter([one == span for one in raw["span"].to_pylist()]) for span in spans)
        days = {span: store.read_events(folder, span) for span in store.spans_in(folder)}
        learn, _, _ = advance_stretch(
            None, days, read_table(home.items), read_table(home.users), config.features,
            config.events.behavior_weights.model_dump(),
        )  # fmt: skip
        written = suites.write(suites.propose(facts), out / "expectations")
        curated = Path(schemas.__file__).parent / "rows.pbtxt"
        rows_schema.write(rows_schema.propose(learn, curated), out / "rows.pbtxt")
    console.print(f"from {len(spans)} days, {date_of(spans[0])} to {date_of(spans[-1])}:")
    for path in (*written, out / "rows.pbtxt"):
        console.print(f"  {path}")
    console.print(
        "compare them with schemas/ (`diff -r`), take over what is true of your data, and commit it"
    )
