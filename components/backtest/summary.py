"""From the lines' journals to tables: one row a line, one row a (line, day), one row an entry of R[t, i]."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from components.backtest import continual, old_tasks
from components.backtest.asked import ALL, TAKEN, VIEWS
from components.backtest.config import BacktestConfig
from components.backtest.intervals import Interval, pooled
from components.backtest.journal import Journal
from components.backtest.peer_line import metric_names
from schemas.spans import date_of

Row = dict[str, Any]
FRESH = " (days after a retrain)"


class Line(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def journal(self) -> Journal: ...


def daily(lines: Sequence[Line]) -> list[Row]:
    """A row a line and day, as it was recorded."""
    return [
        {"line": one.name, "kind": one.kind, "date": date_of(day["span"]).isoformat(), **day}
        for one in lines
        for day in one.journal.days
    ]


def summary(lines: Sequence[Line], config: BacktestConfig, reference: str | None) -> list[Row]:
    """A row a line; differences are to `reference`, paired by day.

    A line that is retrained now and then gets a second row on the days right after it: what a full
    retrain every day would reach, on a sample of the days.
    """
    journal = next((one.journal for one in lines if one.name == reference), None)
    of_reference, its_old = (journal.days, journal.old_task) if journal else ([], None)
    rows = []
    for one in lines:
        days = one.journal.days
        row = _row(one.name, one.kind, days, of_reference, config) | _cost(one) | _continual(one)
        rows.append(row | _old_task(one.journal.old_task, its_old, config))
        fresh = [day for day in days if day.get("age", 0) == 0]
        if 1 < len(fresh) < len(days) and days[-1]["rows_trained"] is not None and retrained(days):
            rows.append(_row(one.name + FRESH, one.kind, fresh, of_reference, config))
    return rows


def retrained(days: Sequence[Mapping[str, Any]]) -> bool:
    return any(day["rows_trained"] for day in days)


def _row(
    name: str,
    kind: str,
    days: Sequence[Mapping[str, Any]],
    reference: Sequence[Mapping[str, Any]],
    config: BacktestConfig,
) -> Row:
    row: Row = {"line": name, "kind": kind, "days": sum(day[f"rows_{ALL}"] > 0 for day in days)}
    by_span = {day["span"]: day for day in reference}
    shared = [day for day in days if day["span"] in by_span]
    for view in VIEWS:
        counts = np.array([day[f"rows_{view}"] for day in days])
        row[f"rows_{view}"] = int(counts.sum())
        for metric in metric_names(config.k):
            key = f"{metric}_{view}"
            means = np.array([day[key] for day in days], np.float64)
            row |= _interval(key, pooled(means, counts, config.resamples, config.seed))
        for metric in metric_names(config.k)[:2]:
            key = f"{metric}_{view}"
            gaps = np.array([day[key] - by_span[day["span"]][key] for day in shared], np.float64)
            of_shared = np.array([day[f"rows_{view}"] for day in shared])
            row |= _interval(f"{key}_gap", pooled(gaps, of_shared, config.resamples, config.seed))
    taken = f"{metric_names(config.k)[0]}_{TAKEN}"
    if all(taken in day for day in days):  # days of an earlier version do not have it
        means, counts = (np.array([day[key] for day in days]) for key in (taken, f"rows_{TAKEN}"))
        row |= _interval(taken, pooled(means, counts, config.resamples, config.seed))
    return row


def _interval(key: str, value: Interval) -> Row:
    return {key: value.estimate, f"{key}_low": value.low, f"{key}_high": value.high}


def _cost(line: Line) -> Row:
    days = line.journal.days
    first = line.journal.note("bootstrap", dict) if line.kind == "strategy" else {}
    overlaps = [value for day in days for key, value in day.items() if key.startswith("overlap_at_")]
    told = [value for value in overlaps if not np.isnan(value)]
    return {
        "rows_trained": int(sum(day["rows_trained"] for day in days)),
        "rows_trained_before": int(first.get("rows_trained", 0)),
        "seconds": sum(day["seconds_learning"] for day in days),
        "seconds_before": first.get("seconds", 0.0),
        "overlap": float(np.mean(told)) if told else float("nan"),
    }


def accuracy(line: Line) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R, the tasks' rows, and what a random order reaches on each; all empty where nothing was measured."""
    entries = line.journal.matrix
    size = max((max(one["after"], one["task"]) + 1 for one in entries), default=0)
    matrix, rows, untrained = np.full((size, size), np.nan), np.zeros(size, int), np.full(size, np.nan)
    for one in entries:
        matrix[one["after"], one["task"]] = one["value"]
        rows[one["task"]], untrained[one["task"]] = one["rows"], one["untrained"]
    return matrix, rows, untrained


def _continual(line: Line) -> Row:
    matrix, rows, untrained = accuracy(line)
    if not len(matrix):
        return {}
    return {
        "old_task_recall": continual.old_task(matrix, rows),
        "old_task_rows": int(rows[:-1].sum()),
        "forgetting": continual.forgetting(matrix),
        "average_accuracy": continual.average_accuracy(matrix),
        "backward_transfer": continual.backward_transfer(matrix),
        "forward_transfer": continual.forward_transfer(matrix, untrained),
    }


def _old_task(kept: pa.Table | None, reference: pa.Table | None, config: BacktestConfig) -> Row:
    if kept is None:
        return {}
    draws = config.resamples, config.seed
    row = _interval("old_task_recall", old_tasks.mean(kept, *draws))
    return row | _interval("old_task_recall_gap", old_tasks.gap(kept, reference, *draws))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """All columns that any row has; floats with six digits, NaN as nothing."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return value
