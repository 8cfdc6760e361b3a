"""Measure models on the same held-out rows and the same catalogue: a value a row, and what they come to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluator import forgetting as forget
from components.evaluator.config import EvaluatorConfig
from components.evaluator.slices import protected, slices
from components.evaluator.tasks import Tasks, split
from components.features.rows import scalar
from components.metrics import chance, metric, owners
from schemas.spans import date_of

CANDIDATE, CHAMPION, MONTH_AGO, BEST_EVER = "candidate", "champion", "month_ago", "best_ever"
OLD, NEW, OWN = "old", "new", "own"
RECALL = "recall_at_"
AT_SLICE = "@"
"""Stands between a metric and a protected slice in the names of columns."""


class Ranker(Protocol):
    """Anything that can rank the whole catalogue for rows."""

    def ranks(self, rows: pa.Table) -> np.ndarray:
        """1-based rank of every relevant item, int64, flat in the order of the rows' `item_id` lists."""


class Evaluation(NamedTuple):
    """What was measured, a row and in all.

    per_row: user_id, span, week, task, own, relevant (items) and `<model>/<metric>`, of protected slices
    `<model>/<metric>@<slice>` (NaN in rows without a relevant item in it); summary: JSON-ready.
    """

    per_row: pa.Table
    summary: dict


def _mean(values: np.ndarray) -> float | None:
    return float(np.nanmean(values)) if np.any(~np.isnan(values)) else None


def _ranks(models: Mapping[str, Ranker], rows: pa.Table, items: int) -> dict[str, np.ndarray]:
    """Ranks of each model; a model that stands under two names is asked once."""
    asked: dict[int, np.ndarray] = {}
    for name, model in models.items():
        if id(model) in asked:
            continue
        ranks = np.asarray(model.ranks(rows)) if rows.num_rows else np.zeros(0, dtype=np.int64)
        if len(ranks) != items:
            raise ValueError(f"{name} ranked {len(ranks)} items, but the rows hold {items} relevant items")
        asked[id(model)] = ranks
    return {name: asked[id(model)] for name, model in models.items()}


def _week_table(
    tasks: Tasks, values: Mapping[str, np.ndarray], best_ever: Mapping[str, float]
) -> tuple[dict[str, dict], dict[str, float]]:
    """A row a week of the old task, and the best values of today's comparison."""
    measured = {name: forget.by_week(tasks.week[tasks.old], one[tasks.old]) for name, one in values.items()}
    # The best value of a week that is not over would be that of its luckiest days.
    under_way = set(tasks.week[~tasks.old])
    served = {w: value for w, (value, _) in measured.get(CHAMPION, {}).items() if w not in under_way}
    best = forget.raise_best(best_ever, served)
    table = {}
    for week, (_, rows) in measured[CANDIDATE].items():
        means = {name: weeks[week][0] for name, weeks in measured.items() if week in weeks}
        table[week] = {"rows": rows, **means, BEST_EVER: best.get(week)}
    return table, best


def _slice_table(
    chosen_by_slice: Iterable[tuple[str, np.ndarray]],
    rows: pa.Table,
    ranks: Mapping[str, np.ndarray],
    row: np.ndarray,
    config: EvaluatorConfig,
) -> list[dict]:
    """The headline of every model by slice, over the rows that have a relevant item in the slice."""
    table = []
    for name, chosen in chosen_by_slice:
        means = {}
        for model, all_ranks in ranks.items():
            inside = metric(config.headline, all_ranks[chosen], row[chosen], rows.num_rows)
            means[model] = _mean(inside)
        table.append({"slice": name, "rows": len(np.unique(row[chosen])), **means})
    return table


def evaluate(
    candidate: Ranker,
    champion: Ranker | None,
    month_ago: Ranker | None,
    rows: pa.Table,
    span: int,
    spans_learned: Collection[int],
    config: EvaluatorConfig,
    item_first_span: Mapping[str, int] | None = None,
    best_ever: Mapping[str, float] | None = None,
) -> Evaluation:
    """Score held-out rows (schemas/rows.py) with every model.

    span: the last day learned; spans_learned: the days being learned now (empty for a first model, whose
    new task is then the trailing days); item_first_span: first day of each item; best_ever: the headline's
    best value of each week's task so far (the `best_ever` of the previous summary).
    """
    given = {CANDIDATE: candidate, CHAMPION: champion, MONTH_AGO: month_ago}
    models = {name: model for name, model in given.items() if model is not None}
    row = owners(rows)
    spans = scalar(rows, "span")
    tasks = split(spans, span, spans_learned, config.trailing_days)
    ranks = _ranks(models, rows, len(row))
    values = {
        model: {name: metric(name, ranks[model], row, rows.num_rows) for name in config.metrics}
        for model in models
    }
    headline = {name: of_model[config.headline] for name, of_model in values.items()}
    weeks, best = _week_table(tasks, headline, best_ever or {})

    users = np.array(pc.list_flatten(rows["user_id"]).to_pylist(), dtype=object)
    relevant = np.bincount(row, minlength=rows.num_rows)
    columns: dict[str, object] = {
        "user_id": pa.array(users, pa.string()),
        "span": spans,
        "week": pa.array(tasks.week, pa.string()),
        "task": pa.array(np.where(tasks.new, NEW, OLD), pa.string()),
        "own": tasks.own,
        "relevant": relevant,
    }
    for name, of_model in values.items():
        columns |= {f"{name}/{one}": of_row for one, of_row in of_model.items()}
    guarded = dict(protected(rows, config))
    for name, chosen in guarded.items():
        for model in models:
            inside = {
                one: metric(one, ranks[model][chosen], row[chosen], rows.num_rows) for one in config.metrics
            }
            columns |= {f"{model}/{one}{AT_SLICE}{name}": of_row for one, of_row in inside.items()}
    in_week = np.array([best.get(week, np.nan) for week in tasks.week], dtype=np.float64)
    columns[f"{BEST_EVER}/{config.headline}"] = np.where(tasks.old, in_week, np.nan)

    every_slice = dict(slices(rows, span, item_first_span or {}, config)) | {
        name: chosen for name, chosen in guarded.items() if chosen.any()
    }
    parts = {OLD: tasks.old, NEW: tasks.new, OWN: tasks.own}
    means = {
        name: {
            part: {one: _mean(of_row[chosen]) for one, of_row in of_model.items()}
            for part, chosen in parts.items()
        }
        for name, of_model in values.items()
    }
    at_random = {
        name: chance(
            relevant[tasks.own & (relevant > 0)], len(item_first_span or {}), int(name[len(RECALL) :])
        )
        for name in config.metrics
        if name.startswith(RECALL)
    }
    now = means[CANDIDATE]
    now_by_week = {week: (one[CANDIDATE], one["rows"]) for week, one in weeks.items()}
    summary = {
        "span": int(span),
        "date": date_of(span).isoformat(),
        "spans_learned": sorted(int(one) for one in spans_learned),
        "headline": config.headline,
        "rows": {part: int(chosen.sum()) for part, chosen in parts.items()},
        "users": {part: len(set(users[chosen])) for part, chosen in parts.items()},
        "models": means,
        "at_random": {name: None if np.isnan(value) else value for name, value in at_random.items()},
        "performance": forget.performance(now[OLD][config.headline], now[NEW][config.headline]),
        "forgetting": forget.forgetting(now_by_week, best),
        "weeks": weeks,
        "slices": _slice_table(every_slice.items(), rows, ranks, row, config),
        BEST_EVER: best,
    }
    return Evaluation(pa.table(columns), summary)
