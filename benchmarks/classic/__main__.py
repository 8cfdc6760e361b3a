"""The strategies on ten digit tasks, beside fine-tuning and joint training: python -m benchmarks.classic

Writes classic.csv, classic.md and classic.png. `--tune` prints what each strength reaches on a seed that is
not reported; those chosen stand in METHODS. A quarter to half of an hour with three seeds, a third of it with
--quick (one seed).
"""

from __future__ import annotations

import argparse
import csv
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.classic.classifier import Learner, Method
from benchmarks.classic.tasks import TASKS, tasks
from components.backtest.continual import average_accuracy, backward_transfer, forgetting
from components.trainer.config import ReactionConfig

mpl.use("Agg")
from matplotlib.figure import Figure

KINDS = ("permuted", "domains", "uneven")
METHODS = (
    Method("fine-tune"),
    Method("L2", pull=3.0),
    Method("EWC", pull=1e5, pull_by="ewc"),
    Method("distillation without replay", distill=0.3),
    Method("replay of 200", memory=200),
    Method("replay of 200, evenly over tasks", memory=200, memory_by="stratified"),
    Method("replay of 200, λ = 0.5", memory=200, old_share=0.5),
    Method("replay of 200 + distillation", memory=200, distill=0.3),
    Method("replay of 200 + EWC", memory=200, pull=1e5, pull_by="ewc"),
    Method("replay of 10% of 1,000", memory=1000, share=0.1),
    Method("replay of 10% of 1,000, reaction", memory=1000, share=0.1, reaction=ReactionConfig(attempts=2)),
    Method("replay of 40% of 1,000", memory=1000, share=0.4),
    Method("joint", joint=True),
)
GRID = (
    *(Method(f"L2 {one:g}", pull=one) for one in (0.1, 0.3, 1.0, 3.0, 10.0)),
    *(Method(f"EWC {one:g}", pull=one, pull_by="ewc") for one in (1e3, 1e4, 1e5, 1e6)),
    *(Method(f"distillation {one:g}", distill=one) for one in (0.3, 1.0, 3.0)),
    *(
        Method(f"reaction, pull {one:g} and ×{factor:g}", memory=1000, share=0.1, reaction=reaction)
        for one, factor in ((0.0, 1.0), (0.3, 3.0), (1.0, 1.0), (1.0, 3.0), (10.0, 10.0))
        for reaction in [ReactionConfig(attempts=2, pull=one, pull_factor=factor)]
    ),
)
TUNING_SEED = 100
RESULTS = Path(__file__).parents[1] / "results" / "classic"
HEAD = """
# Ten digit tasks, one after another

scikit-learn's 1,797 digits of 8 × 8 pixels; 64 → 100 → 100 → 10, ten passes a task, one output for all tasks.
Uneven: permuted, and every second task has a tenth of the digits to learn. A task learns at most as many
old digits as new ones.
Final accuracy: mean over all ten tasks after the last one was learned; forgetting: best ever less final;
own task: right after it was learned; digits: learned in a pass of every attempt at every task, in
thousands. Mean ± standard deviation over seeds ({seeds}). Strengths were chosen on another seed. The
reaction is the product's, with its settings: where a tenth of the training digits, which it does not learn,
shows forgetting, it learns the task again, with more of the memory and a stronger pull. `python -m
benchmarks.classic`; {versions}, Python {python}.
""".strip()


def matrix(method: Method, kind: str, seed: int) -> tuple[np.ndarray, int]:
    """float [10, 10]: accuracy on task i after task t was learned, NaN for tasks to come; digits learned."""
    learner, all_tasks = Learner(method, seed), tasks(kind, seed)
    found = np.full((TASKS, TASKS), np.nan)
    for after, task in enumerate(all_tasks):
        learner.learn(task)
        found[after, : after + 1] = [learner.accuracy(one) for one in all_tasks[: after + 1]]
    return found, learner.digits


Found = dict[tuple[str, str], list[tuple[np.ndarray, int]]]


def measured(methods: Sequence[Method], seeds: Sequence[int]) -> Found:
    """(kind, method) -> what `matrix` gives, a seed each."""
    found: Found = {}
    for kind in KINDS:
        for method in methods:
            found[kind, method.name] = [matrix(method, kind, seed) for seed in seeds]
            last = [average_accuracy(one) for one, _ in found[kind, method.name]]
            print(f"{kind:9} {method.name:30} {np.mean(last):.3f} ± {np.std(last):.3f}", flush=True)
    return found


def write(found: Found, seeds: Sequence[int], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"tasks": kind, "method": name, "seed": seed}
        | {
            "average_accuracy": average_accuracy(one),
            "forgetting": forgetting(one),
            "backward_transfer": backward_transfer(one),
            "own_task": float(np.mean(np.diagonal(one))),
            "digits": digits,
        }
        for (kind, name), of_seeds in found.items()
        for seed, (one, digits) in zip(seeds, of_seeds, strict=True)
    ]
    with (out / "classic.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {name: f"{one:.4f}" if isinstance(one, float) else one for name, one in row.items()}
            )
    (out / "classic.md").write_text(_page(rows, seeds))
    _picture(found).savefig(out / "classic.png", dpi=110)


def _page(rows: Sequence[dict], seeds: Sequence[int]) -> str:
    versions = ", ".join(f"{one} {version(one)}" for one in ("tensorflow", "scikit-learn", "numpy"))
    lines = [HEAD.format(seeds=len(seeds), versions=versions, python=platform.python_version())]
    for kind in KINDS:
        lines += [
            "",
            f"## {kind.capitalize()}",
            "",
            "| method | final accuracy | forgetting | own task | digits |",
        ]
        lines += ["|---|---:|---:|---:|---:|"]
        for name in dict.fromkeys(row["method"] for row in rows):
            mine = [row for row in rows if (row["tasks"], row["method"]) == (kind, name)]
            keys = ("average_accuracy", "forgetting", "own_task")
            told = [name, *(_told([row[key] for row in mine]) for key in keys)]
            thousands = np.mean([row["digits"] for row in mine]) / 1000
            lines.append(f"| {' | '.join(told)} | {thousands:.1f} |")
    return "\n".join([*lines, "", "![accuracy over tasks](classic.png)", ""])


def _told(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def _picture(found: Found) -> Figure:
    figure = Figure(figsize=(18, 4.5), layout="constrained")
    names = list(dict.fromkeys(name for _, name in found))
    for axes, kind in zip(figure.subplots(1, len(KINDS), sharey=True), KINDS, strict=True):
        for (of_kind, name), matrices in found.items():
            if of_kind == kind:
                means = np.nanmean([one for one, _ in matrices], axis=(0, 2))
                colour = mpl.colormaps["tab20"](names.index(name))
                axes.plot(np.arange(1, TASKS + 1), means, marker="o", ms=3, label=name, color=colour)
        axes.set_title(f"{kind.capitalize()} digits: accuracy on the tasks so far")
        axes.set_xlabel("tasks learned")
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), fontsize=8, loc="outside right center")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--tune", action="store_true", help="print what the strengths reach; writes nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.tune:
        measured(GRID, [TUNING_SEED])
        return
    seeds = [0] if options.quick else [0, 1, 2]
    write(measured(METHODS, seeds), seeds, options.out)


if __name__ == "__main__":
    main()
