"""The gate's rules, one small function each: what it saw, in one sentence, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluator.bootstrap import Interval, relative_difference
from components.evaluator.evaluate import AT_SLICE
from components.gate.config import GateConfig

HARM, UNCLEAR, FINE = "harm", "unclear", "fine"
_POWER = 1.0 + 0.8416 / 1.96
"""An effect is seen in 8 of 10 cases from (z.975 + z.80) / z.975 half-widths on."""


@dataclass(frozen=True)
class Finding:
    """What one rule found. `detectable`: the smallest relative loss that it would catch in 8 of 10 cases."""

    rule: str
    outcome: str
    sentence: str
    interval: Interval | None = None
    detectable: float | None = None


def trained_soundly(health: Mapping) -> Finding:
    """Training neither diverged nor left numbers that are none."""
    rule = "sound training"
    if health["diverged"]:
        return Finding(rule, HARM, "Training diverged: the loss exploded or became NaN.")
    if not health["finite_report"]:
        return Finding(rule, HARM, "Training reported NaN or infinity.")
    if not health["finite_scores"]:
        return Finding(rule, HARM, "The candidate's scores hold NaN or infinity.")
    return Finding(rule, FINE, "Training ended with finite losses and scores.")


def tells_users_apart(health: Mapping, config: GateConfig) -> Finding:
    """Users with different histories do not all get one list, where there is more than fits into one."""
    asked, lists = health["users_asked"], health["distinct_lists"]
    rule = "no constant lists"
    if asked >= config.min_users and lists == 1 and not health.get("lists_hold_all", False):
        return Finding(
            rule, HARM, f"The candidate recommends one and the same list to all {asked} users asked."
        )
    return Finding(rule, FINE, f"{asked} users with a history got {lists} different lists.")


def above_floor(values: np.ndarray, config: GateConfig) -> Finding:
    """Candidate's metric, float [rows], over old and new rows together."""
    rule = "floor"
    told = values[~np.isnan(values)]
    if len(told) < config.floor_rows:
        return Finding(
            rule, UNCLEAR, f"{len(told)} held-out rows are too few for the floor ({config.floor_rows})."
        )
    mean = float(told.mean())
    if mean < config.floor:
        sentence = f"{config.metric} is {mean:.4f} over {len(told)} rows, below the floor of {config.floor}."
        return Finding(rule, HARM, sentence)
    return Finding(
        rule, FINE, f"{config.metric} is {mean:.4f} over {len(told)} rows; the floor is {config.floor}."
    )


def no_proven_loss(rule: str, against: str, rows: pa.Table, margin: float, config: GateConfig) -> Finding:
    """The interval of (candidate - reference) / reference on `rows` must not lie wholly below -margin.

    rule: what the finding is called; against: `champion`, `month_ago` or `best_ever`, a prefix of columns.
    """
    name = against.replace("_", " ")
    if not rows.num_rows:
        return Finding(rule, UNCLEAR, f"There are no rows to hold the candidate against the {name}.")
    candidate, reference = (rows[f"{model}/{config.metric}"].to_numpy() for model in ("candidate", against))
    users = np.asarray(rows["user_id"].to_pylist(), dtype=object)
    interval = relative_difference(
        users,
        candidate,
        reference,
        confidence=config.confidence,
        resamples=config.resamples,
        seed=config.seed,
    )
    if interval is None:
        return Finding(
            rule, UNCLEAR, f"The {name} has no hit on these rows, so nothing can be lost against it."
        )
    detectable = margin + _POWER * (interval.estimate - interval.low)
    span = f"{interval.estimate:+.1%} [{interval.low:+.1%}, {interval.high:+.1%}]"
    seen = f"{config.metric} against the {name}: {span} over {interval.rows} rows of {interval.users} users"
    if interval.users < config.min_users:
        sentence = f"{seen}; fewer than {config.min_users} users prove nothing."
        return Finding(rule, UNCLEAR, sentence, interval)
    if interval.high < -margin:
        sentence = f"{seen}: a loss beyond the margin of {margin:.0%} is proven."
        return Finding(rule, HARM, sentence, interval, detectable)
    if interval.low < -margin:
        sentence = (
            f"{seen}: a loss beyond {margin:.0%} is neither proven nor excluded "
            f"({detectable:.0%} would be seen)."
        )
        return Finding(rule, UNCLEAR, sentence, interval, detectable)
    return Finding(rule, FINE, f"{seen}: a loss beyond {margin:.0%} is excluded.", interval, detectable)


def comparisons(per_row: pa.Table, config: GateConfig) -> list[Finding]:
    """All comparisons that the evaluated models allow."""
    old, new = (per_row.filter(pc.equal(per_row["task"], task)) for task in ("old", "new"))

    def measured(model: str) -> bool:
        return f"{model}/{config.metric}" in per_row.column_names

    if not measured("champion"):
        return []
    found = [
        no_proven_loss("old task", "champion", old, config.margin_old, config),
        no_proven_loss("new task", "champion", new, config.margin_new, config),
    ]
    if measured("month_ago"):
        found.append(no_proven_loss("slow loss: a month", "month_ago", old, config.margin_month, config))
    if measured("best_ever"):
        found.append(
            no_proven_loss("slow loss: best ever", "best_ever", old, config.margin_best_ever, config)
        )
    return found + _protected(per_row, config)


def _protected(per_row: pa.Table, config: GateConfig) -> list[Finding]:
    """One rule a protected slice and model to hold it against, over old and new rows together.

    Every slice that is watched adds its chance of a false alarm, at most (1 - confidence) / 2 where the
    true loss lies exactly at the margin.
    """
    found = []
    marked = f"candidate/{config.metric}{AT_SLICE}"
    for name in (one.removeprefix(marked) for one in per_row.column_names if one.startswith(marked)):
        for against, rule in (("champion", f"protected {name}"), ("month_ago", f"protected {name}: a month")):
            columns = {f"{model}/{config.metric}{AT_SLICE}{name}": model for model in ("candidate", against)}
            if not set(columns) <= set(per_row.column_names):
                continue
            inside = pa.table(
                {"user_id": per_row["user_id"]}
                | {f"{model}/{config.metric}": per_row[column] for column, model in columns.items()}
            )
            found.append(no_proven_loss(rule, against, inside, config.margin_protected, config))
    return found
