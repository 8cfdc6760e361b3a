"""Next-day recall@20 of served models beside popularity and habit: python -m benchmarks.next_day [--last N]

Each served version is asked about the day after its span, which nothing of it has seen. A row is a
(user, day): its relevant items are the distinct positives of the day; recall@20 = hits / min(20, relevant).
Habit is what the same user takes most often, then latest; popularity fills up.
Intervals: 95%, bootstrap over users.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.baselines import habit_ranks, popularity_ranks
from components.events import sql
from components.events.read import day_files, read_day
from components.features.advance import advance
from components.features.data_state import DataState
from components.features.tables import read_table
from components.metrics import owners, recall_at
from pipelines import config as settings
from pipelines import environment
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of, held_out

K = 20
RESAMPLES = 2000
ALL, HELD_OUT = "all user-days", "held-out user-days"


@dataclass(frozen=True)
class Day:
    """One version asked about one day: recall [rows] by method, whose row it is, which are held out."""

    version: int
    span: int
    users: np.ndarray
    held: np.ndarray
    recall: dict[str, np.ndarray]


def user_days(home: Home, config: settings.Config, data: DataState, span: int) -> pa.Table | None:
    """Every user-day of the span as an evaluation row; None where the day is not there."""
    files = day_files(home.events, span)
    if not files.files:
        return None
    with sql.connect() as connection:
        events, _, _ = read_day(files, connection)
    everyone = config.features.model_copy(update={"holdout_share": 1.0})
    weights = config.events.behavior_weights.model_dump()
    items, users = read_table(home.items), read_table(home.users)
    return advance(data, events, span, items, users, everyone, weights)[1]


def ask(home: Home, config: settings.Config, served: lineage.Lineage) -> Day | None:
    """Asks a version about the day after its span; None where that day has no events."""
    from components.trainer.scoring import Scorer
    from components.trainer.state import ModelState

    data = DataState.load(served.data_uri)
    span = served.span + 1
    rows = user_days(home, config, data, span)
    if rows is None or not rows.num_rows:
        return None
    scorer = Scorer(ModelState.load(Path(served.model_uri) / "state"), data)
    row = owners(rows)
    ranks = {
        "everlearn": scorer.ranks(rows),
        "popularity (7 days)": popularity_ranks(data, rows),
        "habit (own most often)": habit_ranks(data, rows),
    }
    users = np.array([user for (user,) in rows["user_id"].to_pylist()])
    return Day(
        version=served.version,
        span=span,
        users=users,
        held=held_out(users, span, config.features.holdout_share),
        recall={method: recall_at(K, ranking, row, rows.num_rows) for method, ranking in ranks.items()},
    )


def interval(users: np.ndarray, recall: np.ndarray) -> tuple[float, float, float]:
    """Mean over rows with its 95% bootstrap interval; users are drawn, with all their rows."""
    _, who = np.unique(users, return_inverse=True)
    sums, counts = np.bincount(who, weights=recall), np.bincount(who)
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), [2.5, 97.5])
    return float(recall.mean()), float(low), float(high)


def summarise(days: Iterable[Day]) -> list[tuple[str, str, int, tuple[float, float, float]]]:
    """(rows, method, number of rows, (mean, low, high)) for all and for held-out user-days, days pooled."""
    days = list(days)
    users = np.concatenate([day.users for day in days])
    held = np.concatenate([day.held for day in days])
    lines = []
    for name, chosen in ((ALL, np.ones_like(held)), (HELD_OUT, held)):
        if not chosen.any():
            continue
        for method in days[0].recall:
            recall = np.concatenate([day.recall[method] for day in days])
            lines.append((name, method, int(chosen.sum()), interval(users[chosen], recall[chosen])))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--last", type=int, default=1, metavar="N", help="ask the last N versions (default 1)"
    )
    arguments = parser.parse_args()
    environment.prepare()
    home = Home.from_environment()
    config = settings.load(home)
    served = lineage.standing(home.serving)[-arguments.last :]
    if not served:
        raise SystemExit(
            f"no model is served in {home.serving}: run `make demo` or `everlearn bootstrap` first"
        )
    days = [day for day in (ask(home, config, version) for version in served) if day]
    if not days:
        after = date_of(served[-1].span + 1)
        raise SystemExit(
            f"there are no events of {after}, the day after the champion's: import that day first"
        )

    table = Table(title=f"next-day recall@{K}, 95% intervals over users", title_justify="left")
    for column in ("rows", "method", "n", "recall", "low", "high"):
        table.add_column(column, justify="left" if column in ("rows", "method") else "right")
    for name, method, n, values in summarise(days):
        table.add_row(name, method, str(n), *(f"{value:.4f}" for value in values))
    console = Console(highlight=False)
    for day in days:
        console.print(f"version {day.version} asked about {date_of(day.span)}: {len(day.users)} user-days")
    console.print(table)


if __name__ == "__main__":
    main()
