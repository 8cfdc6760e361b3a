"""python -m benchmarks.serving [--items 10000 68000 1000000] [--seconds 5]

Per catalogue: the raw call in one process; the embedded server with and without batching at 1, 8 and 32
clients; a switch under 32 clients. Server and load generator share this machine's cores. Results:
benchmarks/results/serving.csv and serving.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import psutil

from benchmarks.serving import load, model

NAME, DIMENSION, CLIENTS = "everlearn", 64, (1, 8, 32)
RESULTS = Path(__file__).parent.parent / "results"
PATH = f"/v1/models/{NAME}:predict"
FIELDS = ("items", "way", "clients", "p50_ms", "p99_ms", "worst_ms", "per_second", "failed", "memory_mb")


def row(
    items: int,
    way: str,
    clients: int,
    took: list[float],
    seconds: float,
    failed: int = 0,
    memory: float = 0.0,
) -> dict:
    ordered = sorted(took)
    return {
        "items": items, "way": way, "clients": clients,
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 2),
        "worst_ms": round(ordered[-1], 2),
        "per_second": round(len(took) / seconds, 1), "failed": failed, "memory_mb": round(memory),
    }  # fmt: skip


@contextmanager
def server(base: Path, *flags: str) -> Iterator[tuple[int, psutil.Process]]:
    """The port of an embedded server of that base path, and its process."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder, "port")
        command = [sys.executable, "-m", "serving", f"--model_name={NAME}", f"--model_base_path={base}"]
        command += ["--rest_api_port=0", f"--port_file={port_file}", "--file_system_poll_wait_seconds=0.5"]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([*command, *flags], stdout=log, stderr=log)
        try:
            while not port_file.exists():
                if process.poll() is not None:
                    raise SystemExit(Path(folder, "log").read_text())
                time.sleep(0.05)
            yield int(port_file.read_text()), psutil.Process(process.pid)
        finally:
            process.kill()
            process.wait()


def measure(items: int, seconds: float, scratch: Path) -> Iterator[dict]:
    base = scratch / str(items)
    model.write(base / "1", items, DIMENSION)
    for rows in (1, 32):
        took = model.raw_milliseconds(base / "1", rows, seconds)
        yield row(items, f"raw call, {rows} rows", 1, took, sum(took) / 1e3)
    for way, flags in (("server", ()), ("server, batching", ("--enable_batching",))):
        with server(base, *flags) as (port, process):
            load.run("127.0.0.1", port, PATH, 4, 1.0)
            for clients in CLIENTS:
                seen = load.run("127.0.0.1", port, PATH, clients, seconds)
                memory = process.memory_info().rss / 2**20
                yield row(items, way, clients, seen.milliseconds, seen.seconds, seen.failed, memory)
    with server(base, "--enable_batching") as (port, process):
        load.run("127.0.0.1", port, PATH, 4, 1.0)
        switch = threading.Timer(seconds / 2, _push, (base, scratch))
        switch.start()
        seen = load.run("127.0.0.1", port, PATH, 32, max(2 * seconds, 6))
        memory = process.memory_info().rss / 2**20
        yield row(items, "switch, batching", 32, seen.milliseconds, seen.seconds, seen.failed, memory)
    shutil.rmtree(base)


def _push(base: Path, scratch: Path) -> None:
    shutil.copytree(base / "1", scratch / "aside")
    (scratch / "aside").rename(base / "2")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 68_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    options = parser.parse_args()
    rows: list[dict] = []
    with tempfile.TemporaryDirectory(prefix="serving-") as scratch:
        for items in options.items:
            for one in measure(items, options.seconds, Path(scratch)):
                print(one, flush=True)
                rows.append(one)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "serving.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    busy = f"load average {os.getloadavg()[0]:.1f}"
    lines = [
        f"`recommend`, k = {model.K}, {DIMENSION} dimensions, {os.cpu_count()} cores shared with the load"
    ]
    lines[0] += f" generator and whatever else ran ({busy}); milliseconds.\n"
    lines += [f"| {' | '.join(FIELDS)} |", f"|{'---|' * len(FIELDS)}"]
    lines += [f"| {' | '.join(str(one[name]) for name in FIELDS)} |" for one in rows]
    (RESULTS / "serving.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
