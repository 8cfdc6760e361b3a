"""What the walk-forward benchmarks share: one command line, a work folder that resumes, results to commit."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import environment
from pipelines.commands import backtesting
from schemas.home import Home

RESULTS = Path(__file__).parent / "results"
RESULT_FILES = ("*.csv", "*.md", "*.png", "backtest.json")


@dataclass(frozen=True)
class Size:
    """A window, as fields of BacktestConfig, and the strategies that walk through it."""

    window: Mapping[str, Any]
    strategies: str
    baselines: str = backtesting.BASELINES


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """The options that all of them have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", help="minutes (default)")
    size.add_argument("--full", dest="size", action="store_const", const="full", help="hours; resumable")
    parser.add_argument(
        "--home", type=Path, default=Path(".everlearn/benchmarks") / name, help="imported data"
    )
    parser.add_argument("--work", type=Path, help="checkpoints; by default in the data's folder")
    parser.add_argument("--out", type=Path, help="by default benchmarks/results/<name>/<size>")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(size="quick")
    return parser


def arguments(name: str, description: str) -> argparse.Namespace:
    environment.prepare()
    return parser(name, description).parse_args()


def run(name: str, home: Home, asked: argparse.Namespace, sizes: Mapping[str, Size]) -> None:
    """The backtest of that size; its tables, pictures and page are copied to the results."""
    size = sizes[asked.size]
    work = asked.work or home.root / "backtests" / f"{asked.size}-{asked.seed}"
    backtesting.run(home, {**size.window, "seed": asked.seed}, size.strategies, size.baselines, work)
    out = asked.out or RESULTS / name / asked.size
    out.mkdir(parents=True, exist_ok=True)
    for pattern in RESULT_FILES:
        for path in work.glob(pattern):
            shutil.copy(path, out / path.name)
    print(f"results: {out}")
