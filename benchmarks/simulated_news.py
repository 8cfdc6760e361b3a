"""Walk forward through simulated news, wanted for some days: python -m benchmarks.simulated_news [--full]

Where items come and go, most of the catalogue was not there when the first rows were learned. There are 300
items on the first day and 90 more on each day after it, and the odds of each fall by e every three days.
35 days are learned first; `--full` scores 28 days, `--quick` 8, beside what is possible at best.
"""

from __future__ import annotations

from functools import partial

from benchmarks import arena
from benchmarks.simulated import best_possible
from components.simulator.config import SimulatorConfig
from components.simulator.simulate import write
from schemas.spans import span_of

NAME = "simulated_news"
BOOTSTRAP_DAYS = 35
WORLD = SimulatorConfig(
    days=BOOTSTRAP_DAYS + 28, seed=6, users=1500, items=300, new_items=0.3, fade=3, drift=0.02
)
WINDOW = {"start": span_of(WORLD.start) + BOOTSTRAP_DAYS, "bootstrap_days": BOOTSTRAP_DAYS}
SIZES = {
    "quick": arena.Size({**WINDOW, "days": 8}, "default,stale,finetune,full-7"),
    "full": arena.Size({**WINDOW, "days": 28}, arena.FEW),
}


if __name__ == "__main__":
    arena.walk_forward(NAME, __doc__ or "", SIZES, partial(write, WORLD), best_possible)
