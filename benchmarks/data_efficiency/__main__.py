"""What a row is worth: python -m benchmarks.data_efficiency [--quick | --full] [--log complete_journey]

Next-day and old-task recall against the share of a day's rows that is learned (5 to 100%) and the share of
replay (0 to 50%); recall of an item after 0, 1, 3, 10 events; what a day of five events does, and one
ten times as busy. `--quick` walks one row and one column of the grid, `--full` all of it. Run again, it goes
on where it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import arena, logs
from benchmarks.data_efficiency import burst_days, few_shot, frontier, pages, tiny_days, walking
from components.backtest.config import BacktestConfig
from components.backtest.tasks import Task, last_days
from components.backtest.walk import prepare
from pipelines import config as settings

NAME = "data_efficiency"
WINDOWS: dict[tuple[str, str], dict[str, Any]] = {
    (logs.SIMULATOR, "quick"): {"bootstrap_days": 28, "days": 10},
    (logs.SIMULATOR, "full"): {"bootstrap_days": 56, "days": 56},
    (logs.COMPLETE_JOURNEY, "quick"): {"bootstrap_days": 56, "days": 5},
    (logs.COMPLETE_JOURNEY, "full"): {"bootstrap_days": 200, "days": 28},
}


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """What an earlier call has found, or what is found now."""
    if not path.exists():
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


def main() -> None:
    parser = arena.parser(NAME, __doc__ or "")
    parser.add_argument("--log", choices=logs.NAMES, default=logs.SIMULATOR)
    parser.set_defaults(home=None)
    asked = parser.parse_args()
    home = logs.bring(asked.log, asked.home or Path(".everlearn/benchmarks") / asked.log)
    window = WINDOWS[asked.log, asked.size]
    start = logs.FIRST[asked.log] + window["bootstrap_days"]
    config = BacktestConfig(start=start, seed=asked.seed, churn_users=0, tune_days=(), **window)
    learn = settings.load(home).learn.model_copy(update={"seed": asked.seed})
    source, work = logs.source(home), asked.work or home.root / NAME / f"{asked.size}-{asked.seed}"
    points = frontier.measure(source, config, learn, frontier.cells(asked.size == "full"), work)
    prepared = prepare(source, config, work / "prepared")
    old = Task.of(last_days(prepared.held_out, config), prepared.data, config)

    def days() -> Any:
        return walking.steps(source, config, learn, work)

    few = kept(work / "few_shot.json", lambda: few_shot.measure(days(), config.k))
    tiny = kept(
        work / "tiny_days.json",
        lambda: tiny_days.measure(walking.still(source, config, learn, work), old, config, learn),
    )
    burst = kept(
        work / "burst_days.json",
        lambda: burst_days.measure(source, walking.still(source, config, learn, work), old, config, learn),
    )
    out = asked.out or arena.RESULTS / NAME / f"{asked.log}-{asked.size}"
    pages.write(out, asked.log, config, points, few, tiny, burst)
    print((out / "data_efficiency.md").read_text())


if __name__ == "__main__":
    main()
