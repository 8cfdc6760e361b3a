"""Our side: `learn` as it stands. python -m benchmarks.throughput.everlearn FOLDER PASSES"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.throughput import rows
from components.trainer.config import LearnConfig
from components.trainer.learn import Candidate, learn


def measure(folder: Path, passes: int) -> dict[str, float]:
    """Seconds of the first pass, set-up and tracing included, and of a later one.

    `learn` has no clock for a pass: a later one is the difference of two runs, over the passes between them.
    The run whose first pass is told comes before both: what a process does but once is in it alone.
    """
    given = rows.training_rows(folder)

    def run(epochs: int) -> tuple[Candidate, float]:
        started = time.process_time()
        candidate = learn(None, given, LearnConfig(first_epochs=epochs))
        return candidate, time.process_time() - started

    (cold, _), (once, of_once), (more, of_more) = (run(epochs) for epochs in (1, 1, 1 + passes))
    cold.state.save(folder / rows.STATE)
    first, short, long = (one.report["seconds_training"] for one in (cold, once, more))
    return {"first": first, "later": (long - short) / passes, "cpu": (of_more - of_once) / passes}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
