"""Tables of what the lines reached, beside what the paper reports."""

from __future__ import annotations

import csv
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.ader.protocol import UPDATES, Update

Found = dict[tuple[str, int], list[Update]]
"""(line, seed) -> its updates."""
PAPER = {
    "fine-tune": (47.28, 16.01),
    "dropout": (49.07, 16.86),
    "EWC": (47.66, 16.28),
    "joint retraining": (50.03, 17.31),
    "ADER": (50.21, 17.32),
}
"""recall@20 and MRR@20 in per cent, means of 16 updates: Mi, Lin & Faltings, RecSys 2020, table 2."""
HEAD = """
# ADER's protocol on DIGINETICA

Learn a week, answer every position of the next week's sessions after their first, {updates} times; items
unseen so far leave the test; ranks over all item ids up to the largest seen; plain means over the updates, in
per cent (± standard deviation over seeds). A memory of 30,000 rows. Row-passes: rows × passes of all
updates together. Seconds are of a shared machine: compare them within the table only.
`python -m benchmarks.ader --data FILE --{size}`; {versions}, Python {python}.
""".strip()
COLUMNS = (
    "| line | recall@20 | MRR@20 | row-passes | seconds learning | seconds asking |",
    "|---|---:|---:|---:|---:|---:|",
)


def write(found: Found, size: str, out: Path) -> None:
    """ader.csv (a row an update) and ader.md. size: quick or full."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"line": name, "seed": seed, **asdict(one)} for (name, seed), ones in found.items() for one in ones
    ]
    with (out / "ader.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )
    (out / "ader.md").write_text(_page(found, size))


def _page(found: Found, size: str) -> str:
    updates = max(len(ones) for ones in found.values())
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "numpy"))
    head = HEAD.format(updates=updates, size=size, versions=versions, python=platform.python_version())
    lines = [_line(name, [ones for (one, _), ones in found.items() if one == name]) for name in _names(found)]
    published = "As published, over 16 updates"
    if updates < UPDATES:
        published += f" (of which these are the first {updates}: no fair comparison)"
    paper = [f"| {name} | {recall:.2f} | {mrr:.2f} |" for name, (recall, mrr) in PAPER.items()]
    weeks = "".join(f" {n} |" for n in range(1, updates + 1))
    by_update = [_by_update(name, ones) for (name, seed), ones in found.items() if seed == 0]
    parts = (
        [head],
        [*COLUMNS, *lines],
        [f"{published}:"],
        ["| line | recall@20 | MRR@20 |", "|---|---:|---:|", *paper],
        ["recall@20 / MRR@20 by the week that was asked, seed 0:"],
        [f"| line |{weeks}", f"|---|{'---|' * updates}", *by_update],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _names(found: Found) -> list[str]:
    return list(dict.fromkeys(name for name, _ in found))


def _line(name: str, seeds: Sequence[Sequence[Update]]) -> str:
    def told(field: str) -> str:
        means = [100 * float(np.mean([getattr(one, field) for one in ones])) for ones in seeds]
        return f"{np.mean(means):.2f}" + (f" ± {np.std(means, ddof=1):.2f}" if len(means) > 1 else "")

    def total(field: str) -> str:
        return f"{np.mean([sum(getattr(one, field) for one in ones) for ones in seeds]):,.0f}"

    fields = ("row_passes", "seconds_learning", "seconds_asking")
    return f"| {name} | {told('recall')} | {told('mrr')} | {' | '.join(map(total, fields))} |"


def _by_update(name: str, ones: Sequence[Update]) -> str:
    return f"| {name} |" + "".join(f" {100 * one.recall:.1f} / {100 * one.mrr:.1f} |" for one in ones)
