"""The page and the table of the results."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.ader import report
from benchmarks.ader.protocol import Update


def updates(recall: float) -> list[Update]:
    return [Update(n, 10, recall + n / 10, recall / 2, 100.0, 1.0, 0.5) for n in range(2)]


def test_means_over_updates_and_spread_over_seeds(tmp_path: Path) -> None:
    found = {("replay", 0): updates(0.40), ("replay", 1): updates(0.44), ("session kNN", 0): updates(0.3)}
    report.write(found, "quick", tmp_path / "quick")
    page = (tmp_path / "quick" / "ader.md").read_text()
    assert "| replay | 47.00 ± 2.83 | 21.00 ± 1.41 | 200 | 2 | 1 |" in page
    assert "| session kNN | 35.00 | 15.00 |" in page
    assert "the first 2: no fair comparison" in page
    assert "| replay | 40.0 / 20.0 | 50.0 / 20.0 |" in page
    with (tmp_path / "quick" / "ader.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["seed"], row["update"], row["recall"]) for row in rows][2:4] == [
        ("replay", "1", "0", "0.44"),
        ("replay", "1", "1", "0.54"),
    ]
