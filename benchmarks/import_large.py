"""Imports a generated CSV in a process of its own: seconds, peak memory, what was found.

`python -m benchmarks.import_large --rows 50000000` writes the log below `--folder`, imports it by the command
line into a state folder there, and removes both. Peak memory is the child's largest resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

LIMIT = 4 * 2**30
CHUNK = 1_000_000
DAYS = 30
FIRST = 1_709_510_400  # 2024-03-04


def generate(path: Path, rows: int, seed: int = 0) -> None:
    """A shuffled month of `rows` events, one in a thousand without a user, in chunks."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        for start in range(0, rows, CHUNK):
            n = min(CHUNK, rows - start)
            user = pa.array(rng.integers(0, rows // 20 + 2, n), mask=rng.random(n) < 0.001)
            table = pa.table(
                {
                    "user_id": user,
                    "product_id": (rng.pareto(1.2, n) * 1000).astype(np.int64) % (rows // 100 + 2),
                    "event_time": FIRST + rng.integers(0, DAYS * 86_400, n),
                    "event_type": pa.array(["view", "cart", "purchase"]).take(
                        pa.array(rng.choice(3, n, p=[0.9, 0.06, 0.04]))
                    ),
                    "price": rng.uniform(1, 500, n).round(2),
                }
            )
            csv.write_csv(table, file, csv.WriteOptions(include_header=start == 0))


def measure(log: Path, home: Path) -> dict[str, float]:
    """Seconds and peak bytes of `everlearn import csv`; RuntimeError with its last words where it fails."""
    command = [sys.executable, "-m", "pipelines.cli", "import", "csv", str(log), "--user", "user_id"]
    command += ["--item", "product_id", "--timestamp", "event_time", "--behavior", "event_type"]
    started = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "EVERLEARN_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the import failed: {done.stderr.strip()[-500:]}")
    print(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"seconds": time.monotonic() - started, "peak_bytes": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="import-large-", dir=arguments.folder))
    try:
        log = folder / "log.csv"
        generate(log, arguments.rows)
        found = {"rows": arguments.rows, "csv_bytes": log.stat().st_size, **measure(log, folder / "home")}
        written = sum(one.stat().st_size for one in (folder / "home").rglob("*") if one.is_file())
        print(json.dumps({**found, "day_folder_bytes": written, "within_limit": found["peak_bytes"] < LIMIT}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
