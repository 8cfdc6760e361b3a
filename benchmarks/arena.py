"""What the walk-forward benchmarks share: one command line, a work folder that resumes, results to commit."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.events.read import available_spans
from pipelines import environment
from pipelines.commands import backtesting
from schemas.home import Home

RESULTS = Path(__file__).parent / "results"
RESULT_FILES = ("*.csv", "*.md", "*.png", "backtest.json")
SAYS = {
    "quick": "minutes (default)",
    "full": "hours; resumable",
    "strategies": "every strategy, no peers, fewer days; resumable",
}
TWICE = "+replay.cap=2.0"
"""What weighs or draws the past otherwise is told apart more easily where there is more of it."""
STRATEGIES = (
    "default",
    "stale",
    "finetune",
    "replay-20",
    "twice:replay.cap=2.0",
    f"recent:replay.recency=30{TWICE}",
    f"stratified:replay.memory=stratified{TWICE}",
    f"herding:replay.memory=herding{TWICE}",
    f"l2:pull=10{TWICE}",
    f"ewc:pull=10000+pull_by=ewc{TWICE}",
    f"lambda:old_share=0.5{TWICE}",
    f"distill:distill=1.0{TWICE}",
    "replay-free:replay.share=0+pull=10+distill=1.0",
    f"react:reaction.attempts=2{TWICE}",
    "full-7",
)
"""Every strategy there is, those after `twice` on top of it."""
FEW = "default,stale,finetune,twice:replay.cap=2.0,full-7"
"""Those that a long window is walked with."""


@dataclass(frozen=True)
class Size:
    """A window, as fields of BacktestConfig, and the strategies that walk through it."""

    window: Mapping[str, Any]
    strategies: str
    baselines: str = backtesting.BASELINES


def parser(name: str, description: str, sizes: Iterable[str] = ("quick", "full")) -> argparse.ArgumentParser:
    """The options that all of them have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    size = parser.add_mutually_exclusive_group()
    for one in sizes:
        size.add_argument(f"--{one}", dest="size", action="store_const", const=one, help=SAYS[one])
    parser.add_argument(
        "--home", type=Path, default=Path(".everlearn/benchmarks") / name, help="imported data"
    )
    parser.add_argument("--work", type=Path, help="checkpoints; by default in the data's folder")
    parser.add_argument("--out", type=Path, help="by default benchmarks/results/<name>/<size>")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(size="quick")
    return parser


def walk_forward(
    name: str,
    description: str,
    sizes: Mapping[str, Size],
    bring: Callable[[Home], object],
    note: Callable[[Home, Size], str] = lambda home, size: "",
) -> None:
    """What such a benchmark does when it is called: the log is brought where it is missing, then `run`."""
    environment.prepare()
    asked = parser(name, description, sizes).parse_args()
    home = Home(asked.home.absolute())
    if not available_spans(home.events):
        bring(home)
    run(name, home, asked, sizes[asked.size], note(home, sizes[asked.size]))


def run(name: str, home: Home, asked: argparse.Namespace, size: Size, note: str) -> None:
    """The backtest of that size; its tables, pictures and page, with the note, are copied to the results."""
    work = asked.work or home.root / "backtests" / f"{asked.size}-{asked.seed}"
    backtesting.run(home, {**size.window, "seed": asked.seed}, size.strategies, size.baselines, work)
    out = asked.out or RESULTS / name / asked.size
    out.mkdir(parents=True, exist_ok=True)
    for pattern in RESULT_FILES:
        for path in work.glob(pattern):
            shutil.copy(path, out / path.name)
    if note:
        page = out / "report.md"
        page.write_text(f"{page.read_text().rstrip()}\n\n{note}\n")
    print(f"results: {out}")
