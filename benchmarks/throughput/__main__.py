"""Rows a second of the training step: python -m benchmarks.throughput [--rows N] [--log complete_journey]

`learn` beside Keras' `fit` of the same TFRS model (its own tf.data pipeline, one optimiser for everything)
and a PyTorch twin of it (sparse embeddings; the twin's loss on one step must equal ours). All sides learn the
same rows in the same batch sizes, one after another, each in a process of its own, and go round again.
PyTorch is fetched from PyPI into an environment of its own (5 GB with its CUDA libraries, which go unused).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks import arena, logs
from benchmarks.throughput import rows, torch_arrays

NAME = "throughput"
TORCH, NUMPY = "torch==2.5.1", "numpy==1.26.4"
DAYS = {logs.SIMULATOR: 28, logs.COMPLETE_JOURNEY: 56}
GOAL = 1.5
SAME_LOSS = 1e-3
OURS, TWIN = "everlearn learn", "PyTorch twin"

Seconds = dict[str, float]


def torch_python(folder: Path) -> Path:
    """The interpreter of an environment with PyTorch; made where it is not whole."""
    done, python = folder / "done", folder / "bin" / "python"
    if not done.exists():
        print(f"fetching {TORCH} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", TORCH, NUMPY], check=True)
        done.touch()
    return python


def sides(python: Path, folder: Path, passes: int) -> dict[str, list[str]]:
    """The command of each side."""
    package, what = "benchmarks.throughput", [str(folder), str(passes)]
    twin = [str(python), str(Path(__file__).with_name("torch_twin.py")), *what]
    fit = [sys.executable, "-m", f"{package}.keras_fit", *what]
    return {
        OURS: [sys.executable, "-m", f"{package}.everlearn", *what],
        "Keras fit, Adagrad": [*fit, "adagrad"],
        "Keras fit, Adam": [*fit, "adam"],
        TWIN: [*twin, "1"],
        f"{TWIN} on all cores": [*twin, str(os.cpu_count())],
    }


def timed(command: list[str]) -> Seconds:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def report(out: Path, log: str, count: int, measured: dict[str, list[Seconds]]) -> str:
    """Writes throughput.csv, a row a run, and throughput.md, the medians; returns the latter."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "throughput.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["side", "round", "first_pass_seconds", "later_pass_seconds", "later_pass_cpu", "rows_a_second"]
        )
        for side, runs in measured.items():
            for number, one in enumerate(runs, start=1):
                seconds = [f"{one[name]:.3f}" for name in ("first", "later", "cpu")]
                writer.writerow([side, number, *seconds, f"{count / one['later']:.0f}"])
    rates = {side: statistics.median(count / one["later"] for one in runs) for side, runs in measured.items()}
    first = {side: statistics.median(one["first"] for one in runs) for side, runs in measured.items()}
    cpu = {side: statistics.median(count / one["cpu"] for one in runs) for side, runs in measured.items()}
    best = max((side for side in rates if side != OURS), key=rates.__getitem__)
    ratio = rates[OURS] / rates[best]
    table = [f"| {side} | {rates[side]:,.0f} | {cpu[side]:,.0f} | {first[side]:.2f} |" for side in rates]
    lines = "\n".join(table)
    verdict = "reached" if ratio >= GOAL else "missed"
    twin = measured[TWIN][0]
    losses = f"{twin['loss']:.3f} in PyTorch, {twin['loss_in_tensorflow']:.3f} in TensorFlow"
    libraries = ", ".join(f"{one} {version(one)}" for one in ("tensorflow", "numpy"))
    text = f"""# Throughput of the training step: {log}

{count:,} rows (user-moments), medians of {len(measured[OURS])} rounds. A later pass is whole: making the
steps' arrays, forward, backward, update. The first pass has the set-up and the tracing of each side as well,
ours also the look-up of all ids, which the other sides are given as numbers. The second column is what
counts on a machine that others use: rows over the seconds in which a core worked for the process.

| side | rows a second, later passes | rows a second of a core | seconds of the first pass |
|---|---:|---:|---:|
{lines}

`learn` does {ratio:.2f} times the rows of {best}; the goal is {GOAL}: {verdict}.
Loss of one step from the same weights: {losses}.

{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the end. Python
{platform.python_version()}, {libraries}, {TORCH}.
"""
    (out / "throughput.md").write_text(text)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log", choices=logs.NAMES, default=logs.SIMULATOR)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--passes", type=int, default=4, help="later passes that are timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, help="imported data; by default below .everlearn/benchmarks")
    parser.add_argument("--torch", type=Path, default=Path(".everlearn/benchmarks/torch"))
    parser.add_argument("--out", type=Path, help="by default benchmarks/results/throughput/<log>")
    asked = parser.parse_args()
    home = logs.bring(asked.log, asked.home or Path(".everlearn/benchmarks") / asked.log)
    python = torch_python(asked.torch.absolute())
    measured: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count = rows.write(home, asked.log, DAYS[asked.log], asked.rows, 0, folder)
        for number in range(1, asked.rounds + 1):
            for side, command in sides(python, folder, asked.passes).items():
                measured.setdefault(side, []).append(timed(command))
                print(f"round {number}: {side} {count / measured[side][-1]['later']:,.0f} rows a second")
                if side == OURS and number == 1:
                    torch_arrays.write(folder)
    twin = measured[TWIN][0]
    if abs(twin["loss"] - twin["loss_in_tensorflow"]) > SAME_LOSS * abs(twin["loss_in_tensorflow"]):
        raise SystemExit(f"the twin is none: its loss is {twin['loss']}, ours {twin['loss_in_tensorflow']}")
    print(report(asked.out or arena.RESULTS / NAME / asked.log, asked.log, count, measured))


if __name__ == "__main__":
    main()
