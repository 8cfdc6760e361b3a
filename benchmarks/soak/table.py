"""The table of a soak: a row an evening."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path


@dataclass
class Row:
    """One evening of the table."""

    day: str
    delivered: str
    killed_in: str
    verdict: str
    version: int
    seconds: float
    not_learned: int
    """Delivered days that the champion has not learned."""
    megabytes: int
    """Of the state folder."""
    account: str
    audit: str
    answers: str
    remains: str


def write(out: Path, rows: Sequence[Row], told: Sequence[str]) -> None:
    """soak.csv, and the same table with the summary in soak.md."""
    names = [field.name for field in fields(Row)]
    with (out / "soak.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(astuple(row) for row in rows)
    table = [names, ["---"] * len(names), *([str(cell) for cell in astuple(row)] for row in rows)]
    lines = ["| " + " | ".join(cell.replace("_", " ") for cell in line) + " |" for line in table]
    (out / "soak.md").write_text("\n".join(["# Soak", "", *told, "", *lines]) + "\n")
