"""Two domains of digits in turns while their labels move: python -m benchmarks.classic.moving

Writes moving.csv and moving.md: what a slice of replay by recency is for. Ten minutes with three seeds. The
half-lives are the two that were looked at, on seeds that are not reported.
"""

from __future__ import annotations

import argparse
import csv
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.classic.classifier import Learner, Method
from benchmarks.classic.tasks import moving

RESULTS = Path(__file__).parents[1] / "results" / "classic"
METHODS = (
    Method("fine-tune"),
    Method("replay of 20% of 1,000", memory=1000, share=0.2),
    Method("replay of 20% of 1,000, half-life 14 days", memory=1000, share=0.2, recency=14),
    Method("replay of 20% of 1,000, half-life 7 days", memory=1000, share=0.2, recency=7),
    Method("joint", joint=True),
)
MEASURES = ("accuracy", "own", "other", "digits")
HEAD = """
# Two domains in turns, whose labels move

scikit-learn's digits as they are and with their pixels in another order, in turns, ten tasks of seven
days. Each time a domain comes two of its labels have changed places, the same two in both. The network
and the way it learns are those of the [ten digit tasks](classic.md). Own domain: accuracy right after a
task was learned; other domain: then, on the one before it, whose labels hold until it comes again;
both: their mean. From the second task on; mean ± standard deviation over seeds ({seeds}). Digits:
learned in a pass of every task, in thousands. `python -m benchmarks.classic.moving`; {versions}, Python
{python}.

| method | both | own domain | other domain | digits |
|---|---:|---:|---:|---:|
""".lstrip()


def measured(method: Method, seed: int) -> dict[str, float]:
    """MEASURES of one method over the ten tasks."""
    learner, all_tasks, found = Learner(method, seed), moving(seed), []
    for number, task in enumerate(all_tasks):
        learner.learn(task)
        if number:
            found.append((learner.accuracy(task), learner.accuracy(all_tasks[number - 1])))
    own, other = np.mean(found, axis=0)
    return {"accuracy": (own + other) / 2, "own": own, "other": other, "digits": learner.digits}


def write(rows: list[dict], seeds: int, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "moving.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("method", "seed", *MEASURES))
        for row in rows:
            told = (f"{row[one]:.4f}" for one in MEASURES[:-1])
            writer.writerow((row["method"], row["seed"], *told, row["digits"]))
    versions = ", ".join(f"{one} {version(one)}" for one in ("tensorflow", "scikit-learn", "numpy"))
    page = HEAD.format(seeds=seeds, versions=versions, python=platform.python_version())
    for method in METHODS:
        mine = [[row[one] for one in MEASURES] for row in rows if row["method"] == method.name]
        mean, deviation = np.mean(mine, axis=0), np.std(mine, axis=0)
        told = (f"{one:.3f} ± {by:.3f}" for one, by in zip(mean[:-1], deviation[:-1], strict=True))
        page += f"| {method.name} | {' | '.join(told)} | {mean[-1] / 1000:.1f} |\n"
    (out / "moving.md").write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    rows = []
    for method in METHODS:
        for seed in range(asked.seeds):
            rows.append({"method": method.name, "seed": seed, **measured(method, seed)})
            print(f"{method.name:42} {seed} {rows[-1]['accuracy']:.3f}", flush=True)
    write(rows, asked.seeds, asked.out)


if __name__ == "__main__":
    main()
