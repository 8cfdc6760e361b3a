"""Walk forward through Complete Journey 2.0: python -m benchmarks.complete_journey [--quick | --full | …]

200 days are learned first. `--full` scores 100 days beside the peers, `--quick` the first 8 of them;
`--strategies` scores the first 21 with every strategy but the reaction. EVERLEARN_HOME plays no part.
Checkpoints lie in the work folder: run the same command again to go on.
"""

from __future__ import annotations

import datetime as dt

from benchmarks import arena
from pipelines.commands.importing import bring_complete_journey
from schemas.spans import span_of

NAME = "complete_journey"
WINDOW = {"start": span_of(dt.date(2017, 7, 20)), "bootstrap_days": 200}
SIZES = {
    "quick": arena.Size(
        {**WINDOW, "days": 8, "tune_days": (2,), "task_rows": 300},
        "default,stale,finetune,full-7",
    ),
    "full": arena.Size({**WINDOW, "days": 100}, arena.FEW),
    # The reaction's attempts take hours here.
    "strategies": arena.Size(
        {**WINDOW, "days": 21},
        ",".join(one for one in arena.STRATEGIES if not one.startswith("react")),
        baselines="",
    ),
}


if __name__ == "__main__":
    arena.walk_forward(NAME, __doc__ or "", SIZES, bring_complete_journey)
