"""CSV, PNG and Markdown of the data efficiency benchmark."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.data_efficiency import burst_days, frontier
from components.backtest.config import BacktestConfig
from components.backtest.summary import write_csv
from schemas.spans import date_of

Table = Sequence[Mapping[str, Any]]

DEFINITION = """
{days} days from {start}, {before} learned first, seed {seed}. Every user-day of users seen before is asked
about before its day is learned; old task: held-out rows of earlier weeks, after the last day. Intervals in
the CSV files: 95% over days. Seconds are those of a machine with {cores} cores and whatever else ran there
(load {load:.1f} at the end). {versions}.
""".strip()
FEW = """
Recall of single items by what was seen of them so far: takes of items that were new to their taker, and
the share that stood among the first {k} of the whole catalogue; what is not in the catalogue yet cannot.
`daily`: the model of the evening before; `stale`: the first model, which has learned nothing since, with the
same histories, trends and catalogue.
""".strip()
TINY = """
Each day of the window once as a day of {events} events on top of the first model, with the default's replay
and the smaller steps of tiny days: recall@{k} before, and what changes, 95% over days.
""".strip()
BURST = """
{days} days of the log as one, on top of the first model, as in a sale: {days} times the events of the
same people. At most a share of the remembered rows is learned again (the default: a tenth), and never more
than the day's own. recall@{k} of the first model and what changes, on the old task and on the day's own
held-out user-days, 95% over such days.
""".strip()


def write(
    out: Path, log: str, config: BacktestConfig, points: Table, few: Table, tiny: Table, burst: Table
) -> None:
    """A CSV a table, frontier.png and data_efficiency.md in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for name, table in (("frontier", points), ("few_shot", few), ("tiny_days", tiny), ("burst_days", burst)):
        write_csv(out / f"{name}.csv", [dict(row) for row in table])
    title = f"What a row is worth: {log}"
    frontier.picture([dict(point) for point in points], title).savefig(out / "frontier.png")
    names = ("tensorflow", "numpy", "pyarrow")
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{one} {version(one)}" for one in names)])
    text = [
        f"# {title}",
        DEFINITION.format(
            days=config.days, start=date_of(config.start), before=config.bootstrap_days, seed=config.seed,
            cores=os.cpu_count(), load=os.getloadavg()[0], versions=versions,
        ),
        "![frontier](frontier.png)",
        _markdown([_line(point) for point in points]),
        "## An item after few events",
        FEW.format(k=config.k),
        _markdown(few),
        "## A day of five events",
        TINY.format(k=config.k, events=5),
        _markdown(tiny),
        "## A day ten times as busy",
        BURST.format(k=config.k, days=burst_days.DAYS),
        _markdown(burst) if burst else "The window is too short for one.",
    ]  # fmt: skip
    (out / "data_efficiency.md").write_text("\n\n".join(text) + "\n")


def _line(point: Mapping[str, float]) -> dict[str, Any]:
    shares = {"day's rows": point["day_share"], "replay": point["replay_share"]}
    told: dict[str, Any] = {name: f"{share:.0f}%" for name, share in shares.items()}
    told |= {label: point.get(name, float("nan")) for name, label in frontier.AXES.items()}
    seconds = f"{point['seconds_a_day']:.2f}"
    return told | {"rows a day": f"{point['rows_a_day']:.0f}", "seconds a day": seconds}


def _markdown(table: Table) -> str:
    def cell(value: Any) -> str:
        return f"{value:.4f}" if isinstance(value, float) else str(value)

    columns = list(dict.fromkeys(name for row in table for name in row))
    lines = [columns, ["---:"] * len(columns)]
    lines += [[cell(row.get(name, "")) for name in columns] for row in table]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
