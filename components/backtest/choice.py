"""Which strategy a backtest speaks for, by a rule that is fixed before the figures are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.backtest.asked import VIEWS
from components.backtest.intervals import pooled
from components.backtest.old_tasks import gap

OLD_TASK_MARGIN = 0.01
"""Old-task recall may lie so much (relative) below that of the strategy that keeps most."""

RULE = (
    "Of the strategies that learn, those are kept whose next-day recall is not provably below the best one's"
    " (paired 95% interval over days, in both views) and whose old-task recall is not provably more than 1%"
    " below the best one's (paired 95% interval over users); of these the one that trains the fewest rows is"
    " chosen."
)


class Choice(NamedTuple):
    name: str | None
    reasons: list[str]


def choose(
    rows: Sequence[Mapping[str, Any]],
    days: Mapping[str, Sequence[Mapping[str, Any]]],
    kept_of_old: Mapping[str, pa.Table | None],
    k: int,
    resamples: int,
    seed: int,
) -> Choice:
    """`rows`: the summary of the strategies that learn; by name: their records, and their old task's rows."""
    if not rows:
        return Choice(None, ["No strategy that learns was asked for."])
    kept, reasons = [str(row["line"]) for row in rows], []
    for view in VIEWS:
        key = f"recall_at_{k}_{view}"
        best = max(rows, key=lambda row, key=key: np.nan_to_num(row[key]))["line"]  # type: ignore[misc]
        reasons.append(f"Best next-day recall@{k}, view *{view}*: {best}.")
        for name in list(kept):
            gaps = np.array([mine[key] - its[key] for mine, its in zip(days[name], days[best], strict=True)])
            counts = np.array([day[f"rows_{view}"] for day in days[name]])
            value = pooled(gaps, counts, resamples, seed)
            if value.high < 0:
                kept.remove(name)
                low, high = f"{value.low:+.4f}", f"{value.high:+.4f}"
                reasons.append(
                    f"{name} is below {best}, view *{view}*: {value.estimate:+.4f} [{low}, {high}]."
                )
    keeps = {row["line"]: row.get("old_task_recall", float("nan")) for row in rows}
    most = max(keeps, key=lambda name: np.nan_to_num(keeps[name]))
    for name in list(kept):
        value = gap(kept_of_old[name], kept_of_old[most], resamples, seed, 1 - OLD_TASK_MARGIN)
        if value.high < 0:
            kept.remove(name)
            reasons.append(
                f"{name} keeps {keeps[name]:.4f} of the old task, {most} {keeps[most]:.4f}: provably more"
                " than 1% less."
            )
    if not kept:
        return Choice(None, [*reasons, "No strategy is good in everything: weigh the table yourself."])
    cost = {str(row["line"]): row["rows_trained"] for row in rows}
    chosen = min(kept, key=lambda name: cost[name])
    reasons.append(f"Left, with the rows they train: {', '.join(f'{name} {cost[name]:,}' for name in kept)}.")
    return Choice(chosen, reasons)
