"""`everlearn bootstrap`, `everlearn run`: a stretch or a day in one process."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipelines import config as settings
from pipelines import environment, lease
from pipelines.plan import DAYS_AT_ONCE, Plan, plan, plan_challenger, plan_rebuild
from schemas.home import Home
from schemas.spans import date_of, parse_date, span_of

if TYPE_CHECKING:
    from pipelines.launch import Outcome

app = typer.Typer()
console = Console(highlight=False)

Date = Annotated[str, typer.Option("--date", help="The day to learn, YYYY-MM-DD")]
First = Annotated[str, typer.Option("--from", help="First day of the stretch, YYYY-MM-DD")]
Last = Annotated[str, typer.Option("--to", help="Last day of the stretch, YYYY-MM-DD")]
Force = Annotated[bool, typer.Option("--force", help="Run it although it is learned already")]
IfDue = Annotated[
    bool, typer.Option("--if-due", help="Only in every challenger.weeks-th week; then all days at once")
]
AtOnce = Annotated[
    int, typer.Option(min=0, help="First days that are learned together, the others one by one; 0: all")
]
Timings = Annotated[Path | None, typer.Option("--timings", help="Write each step's seconds there, as JSON")]


@app.command()
def bootstrap(first: First, last: Last, force: Force = False, timings: Timings = None) -> None:
    """Learn a first champion from a stretch of days."""
    home = Home.from_environment()
    with lease.held(home, f"the bootstrap to {last}"):
        _run(home, plan(home, _span(last), first_span=_span(first), force=force), timings)


@app.command()
def run(date: Date, force: Force = False, timings: Timings = None) -> None:
    """Learn a day: ingest, warm start, gate, record, push."""
    home = Home.from_environment()
    with lease.held(home, f"the run of {date}"):
        _run(home, plan(home, _span(date), force=force), timings)


@app.command()
def rebuild(if_due: IfDue = False, days_at_once: AtOnce = DAYS_AT_ONCE, timings: Timings = None) -> None:
    """Learn all days anew, forwards, with the settings of now; takes over only if the gate blesses it."""
    home = Home.from_environment()
    with lease.held(home, "the rebuild"):
        weeks = settings.load(home).challenger.weeks
        planned = plan_challenger(home, weeks) if if_due else plan_rebuild(home, days_at_once)
        _run(home, planned, timings)


def _span(text: str) -> int:
    return span_of(parse_date(text))


def _run(home: Home, planned: Plan, timings: Path | None) -> None:
    if planned.skip:
        console.print(planned.skip)
        return
    config = settings.load(home)
    stretch = f"{date_of(planned.first_span)} to " if planned.first_span < planned.span else ""
    console.print(f"learning [bold]{stretch}{date_of(planned.span)}[/] (run {planned.run_id})")
    started = time.monotonic()
    with console.status("loading TFX"):
        from pipelines.run import run as run_steps
    environment.quieten()
    imported = time.monotonic() - started

    with console.status("") as spinner:
        outcomes = run_steps(
            home,
            config,
            planned,
            on_step=lambda step: spinner.update(f"{step.node}: {step.title}"),
            on_done=lambda step, done: console.print(
                f"  {done.seconds:6.1f} s  {step.group:8} {step.node:17} {_remark(done)}"
            ),
        )
    total = time.monotonic() - started
    _tell(outcomes)
    console.print(f"done in {total:.0f} s ({imported:.0f} s of it imports)")
    if timings:
        steps = [{"node": one.node, "state": one.state, "seconds": one.seconds} for one in outcomes]
        timings.write_text(json.dumps({"imports": imported, "total": total, "steps": steps}, indent=2))


def _remark(outcome: Outcome) -> str:
    return "" if outcome.state == "complete" else outcome.state


def _tell(outcomes: list[Outcome]) -> None:
    """The verdict with its reasons, and what was pushed."""
    from pipelines.step import told

    facts: dict = {}
    for outcome in outcomes:
        facts |= told(outcome.outputs)
    for line in facts.get("left_out", []):
        console.print(line, style="yellow", markup=False)
    verdict = facts.get("blessing", {})
    console.print(f"verdict: [bold]{verdict.get('status', 'none')}[/]")
    for reason in verdict.get("reasons", []):
        console.print(f"  {reason}")
    pushed = facts.get("pushed", {})
    if pushed.get("version"):
        console.print(f"pushed version {pushed['version']} ({pushed['kind']})")
    else:
        console.print("nothing was pushed")
