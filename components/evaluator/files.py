"""Names and reading of what an evaluation leaves in its artifact folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PER_ROW = "per_row.parquet"
SUMMARY = "summary.json"


def read(folder: Path) -> tuple[pa.Table, dict]:
    """(per-row table, summary) of an evaluation."""
    return pq.read_table(folder / PER_ROW), json.loads((folder / SUMMARY).read_text())


def read_best_ever(folders: Iterable[str]) -> dict[str, float]:
    """Best value of each week's task over the given earlier evaluations; empty without any."""
    best: dict[str, float] = {}
    for folder in folders:
        for week, value in json.loads((Path(folder) / SUMMARY).read_text())["best_ever"].items():
            best[week] = max(value, best.get(week, 0.0))
    return best
