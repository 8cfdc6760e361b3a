"""Walk forward through a simulated shop whose season returns: python -m benchmarks.simulated [--full]

The one stream here whose best possible recall is known, and in which there is something to forget: tastes
move slowly, and one category of eight is wanted for one week of every four. 28 days are learned first (one
season, and three weeks after it); `--full` scores 42 days, which begin with a season and hold another,
`--quick` 10.
"""

from __future__ import annotations

from functools import partial

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import arena
from components.simulator.config import SimulatorConfig
from components.simulator.simulate import truth_path, write
from schemas.home import Home
from schemas.spans import span_of

NAME = "simulated"
BOOTSTRAP_DAYS = 28
WORLD = SimulatorConfig(
    days=BOOTSTRAP_DAYS + 42, seed=5, users=800, items=1500, season_every=28, season_days=7, drift=0.02
)
START = span_of(WORLD.start) + BOOTSTRAP_DAYS
WINDOW = {"start": START, "bootstrap_days": BOOTSTRAP_DAYS}
SIZES = {
    "quick": arena.Size({**WINDOW, "days": 10}, "default,stale,finetune,full-7"),
    "full": arena.Size({**WINDOW, "days": 42}, ",".join(arena.STRATEGIES)),
}


def best_possible(home: Home, size: arena.Size) -> str:
    """Mean recall@20 of the lists of somebody who knows every taste, over the window's user-days."""
    truth = pq.read_table(truth_path(home), columns=["span", "best_recall"])
    span = truth.column("span")
    start = size.window["start"]
    inside = pc.and_(pc.greater_equal(span, start), pc.less(span, start + size.window["days"]))
    best = pc.mean(truth.filter(inside).column("best_recall")).as_py()
    return f"Best possible recall@20 on these days, knowing every taste: {best:.4f}."


if __name__ == "__main__":
    arena.walk_forward(NAME, __doc__ or "", SIZES, partial(write, WORLD), best_possible)
