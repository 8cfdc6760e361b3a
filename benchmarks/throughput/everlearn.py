"""Our side: `learn` as it stands. python -m benchmarks.throughput.everlearn FOLDER PASSES"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.throughput import rows
from components.trainer.config import LearnConfig
from components.trainer.learn import learn


def measure(folder: Path, passes: int) -> dict[str, float]:
    """Seconds of the first pass, set-up and tracing included, and of a later one.

    `learn` has no clock for a pass: a later one is the difference of two runs, over the passes between them.
    """
    config = LearnConfig(first_epochs=1)
    given = rows.training_rows(folder)
    started = time.process_time()
    once = learn(None, given, config)
    between = time.process_time()
    more = learn(None, given, config.model_copy(update={"first_epochs": 1 + passes}))
    cpu = (time.process_time() - between) - (between - started)
    once.state.save(folder / rows.STATE)
    first, whole = (one.report["seconds_training"] for one in (once, more))
    return {"first": first, "later": (whole - first) / passes, "cpu": cpu / passes}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
