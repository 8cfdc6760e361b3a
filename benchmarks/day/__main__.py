"""Times one real day three ways, side by side in one run: python -m benchmarks.day [--repeats N]

A deployment of its own (a folder below the state folder) learns Complete Journey up to the day before, once.
Each way then starts from a copy of that. Results: benchmarks/results/day.csv, and the medians in day.md.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from pipelines import environment

environment.prepare()

from rich.console import Console  # noqa: E402

from benchmarks.day import sides  # noqa: E402
from benchmarks.day.items import ITEMS, Shares, by_item  # noqa: E402
from components.events import sql  # noqa: E402
from components.events.read import day_files, read_day  # noqa: E402
from pipelines import stack  # noqa: E402
from schemas import lineage  # noqa: E402
from schemas.home import Home  # noqa: E402
from schemas.spans import span_of  # noqa: E402

DAY = dt.date(2017, 2, 2)  # 4,033 purchases
FIRST_DAY = dt.date(2017, 1, 1)
RESULTS = Path(__file__).parent.parent / "results"
SIDES = (sides.PLAIN, sides.EVERLEARN, sides.AIRFLOW)

console = Console(highlight=False)


def prepare(home: Home) -> Path:
    """Brings the home to the evening before the day, Airflow's database made; a copy of it as it is then."""
    copy = home.root.with_name(f"{home.root.name}.before")
    if copy.is_dir():
        return copy
    shutil.rmtree(home.root, ignore_errors=True)
    command = Path(sys.executable).with_name("everlearn")
    variables = os.environ | {"EVERLEARN_HOME": str(home.root)}
    bootstrap = ("bootstrap", "--from", f"{FIRST_DAY}", "--to", f"{DAY - dt.timedelta(days=1)}")
    for arguments in (("import", "complete-journey"), bootstrap):
        console.print(f"everlearn {' '.join(arguments)}")
        subprocess.run([command, *arguments], env=variables, check=True)
    if lineage.champion(home.serving) is None:
        raise SystemExit("the bootstrap pushed no champion")
    stack.up(home, stack.AIRFLOW, say=console.print)
    stack.down(home, say=console.print)
    shutil.copytree(home.root, half := copy.with_suffix(".half"), symlinks=True, dirs_exist_ok=True)
    half.rename(copy)
    return copy


def restore(home: Home, copy: Path) -> None:
    """Artifacts are named by absolute path, so every way through the day uses the same folder in turn."""
    shutil.rmtree(home.root, ignore_errors=True)
    shutil.copytree(copy, home.root, symlinks=True)


def write_csv(home: Home, file: Path) -> int:
    """The day as the one CSV file that the plain pipeline reads; its number of events."""
    with sql.connect() as connection:
        events, _, _ = read_day(day_files(home.events, span_of(DAY)), connection)
    frame = events.to_pandas()
    for name in ("user_id", "item_id"):
        frame[name] = name[0] + frame[name]  # CsvExampleGen takes ids of digits for numbers
    frame.to_csv(file, index=False)
    return events.num_rows


def report(measured: dict[str, list[Shares]], events: int) -> None:
    """Writes day.csv and day.md, and prints the latter."""
    RESULTS.mkdir(exist_ok=True)
    totals = {side: [sum(run.values()) for run in runs] for side, runs in measured.items()}
    medians = {
        side: {item: statistics.median(by_item(run)[item] for run in runs) for item in ITEMS}
        for side, runs in measured.items()
    }
    with (RESULTS / "day.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["side", "repeat", "item", "node", "seconds"])
        for side, runs in measured.items():
            for repeat, run in enumerate(runs, start=1):
                writer.writerows([side, repeat, *where, f"{seconds:.2f}"] for where, seconds in run.items())
    lines = [
        f"# One day, {len(totals[sides.PLAIN])} time(s) each, seconds (medians)",
        "",
        f"{DAY}, {events} events, {os.cpu_count()} cores, {platform.machine()}. By `make bench-time`.",
        "",
        "| item | " + " | ".join(measured) + " |",
        "|---|" + "---:|" * len(measured),
        *(
            f"| {item} | " + " | ".join(f"{medians[side][item]:.1f}" for side in measured) + " |"
            for item in ITEMS
        ),
        "| **total** | "
        + " | ".join(f"**{statistics.median(totals[side]):.1f}**" for side in measured)
        + " |",
        "| slowest to fastest | "
        + " | ".join(f"{min(totals[side]):.1f} to {max(totals[side]):.1f}" for side in measured)
        + " |",
    ]
    text = "\n".join(lines) + "\n"
    (RESULTS / "day.md").write_text(text)
    console.print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    arguments = parser.parse_args()
    home = Home(Home.from_environment().root / "benchmarks" / "day")
    copy = prepare(home)
    measured: dict[str, list[Shares]] = {side: [] for side in arguments.sides}
    folder = home.root.with_name(f"{home.root.name}.logs")
    shutil.rmtree(folder, ignore_errors=True)
    csv_file = folder / "csv" / "events.csv"
    csv_file.parent.mkdir(parents=True)
    events = write_csv(home, csv_file)
    for repeat in range(arguments.repeats):
        for side in arguments.sides:
            restore(home, copy)
            work = folder / f"{repeat}-{side.replace(' ', '-')}"
            work.mkdir(parents=True)
            if side == sides.PLAIN:
                seconds = sides.plain(csv_file, work)
            elif side == sides.EVERLEARN:
                seconds = sides.everlearn(home, span_of(DAY), work)
            else:
                seconds = sides.airflow(home, span_of(DAY), say=lambda line: None)
            measured[side].append(seconds)
            console.print(f"repeat {repeat + 1}: {side} {sum(seconds.values()):.1f} s")
    report(measured, events)


if __name__ == "__main__":
    main()
