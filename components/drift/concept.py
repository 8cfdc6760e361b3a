"""Concept drift: does the champion do worse on the days that it has not learned yet?

Page-Hinkley's test (Page 1954, Biometrika 41; Hinkley 1971, Biometrika 58; river's implementation) on
z = (value - mean) / deviation of a day's metric, mean and deviation being those of the first
`reference_days` days, at the start and after each alarm: it sums how far z falls below its running mean
beyond `tolerance`, and alarms where the sum exceeds `threshold`. Only falls count: that things go better is
no reason to act. ADWIN needs hundreds of values before it says anything of metrics of this size, and a day
is one value.

With the default settings, 60 simulated lines of 240 days (deviation of a day 8%, with and without a weekly
wave of 8%): at most 0.08 false alarms in the first 120 days; a fall by 10%, 20%, 30% is seen in 57 of 60
lines or more, after 11-16, 3-5, 2-3 days; one by 25% that takes 120 days after 44-49.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from river.drift import PageHinkley

from components.drift.config import ConceptDriftConfig
from components.evaluator.evaluate import CHAMPION
from schemas.spans import date_of

_LEAST_DEVIATION = 0.01
"""Share of the mean that a day's deviation is at least: equal days make no change infinitely large."""

Days = dict[int, dict[str, float]]
"""span -> {value, rows}: all that is carried from day to day; the test is run over it anew."""


def next_day(per_row: pa.Table, metric: str) -> Days:
    """The champion's mean on the held-out rows of each span being learned; nothing without a champion.

    per_row: of the evaluation, whose champion has learned none of the rows marked `own`.
    """
    column = f"{CHAMPION}/{metric}"
    if column not in per_row.column_names:
        return {}
    own = per_row.filter(per_row["own"])
    spans, values = own["span"].to_numpy(), own[column].to_numpy()
    told = ~np.isnan(values)
    return {
        int(span): {"value": float(values[told & (spans == span)].mean()), "rows": int(rows)}
        for span, rows in zip(*np.unique(spans[told], return_counts=True), strict=True)
    }


def merged(before: Mapping[int, Mapping[str, float]], measured: Days, span: int) -> Days:
    """The days up to `span`, each once: a span measured again replaces what was known of it."""
    days = {**before, **measured}
    return {one: dict(days[one]) for one in sorted(days) if one <= span}


def save(path: Path, metric: str, days: Days) -> None:
    """The state that the next run carries on."""
    path.write_text(json.dumps({"metric": metric, "days": days}))


def load(paths: Sequence[Path], metric: str) -> Days:
    """The days of the newest state, if there is one; none where they were measured by another metric."""
    if not paths:
        return {}
    state = json.loads(paths[-1].read_text())
    return {int(span): day for span, day in state["days"].items()} if state["metric"] == metric else {}


def watch(days: Days, config: ConceptDriftConfig) -> list[dict[str, Any]]:
    """Runs the test over the days, oldest first: {span, date, value, rows, statistic, alarm} of each.

    Days of fewer than `min_rows` rows are left out; statistic (in deviations) is None on days of reference.
    """
    found = []
    usual: list[float] = []
    test = _test(config)
    for span, day in days.items():
        if day["rows"] < config.min_rows:
            continue
        value, statistic, alarm = day["value"], None, False
        if len(usual) < config.reference_days:
            usual.append(value)
        else:
            mean = float(np.mean(usual))
            deviation = max(float(np.std(usual, ddof=1)), _LEAST_DEVIATION * abs(mean), 1e-9)
            test.update((value - mean) / deviation)
            statistic = float(test._max_decrease - test._sum_decrease)  # river tells the alarm only
            alarm = bool(test.drift_detected)
        if alarm:
            usual, test = [value], _test(config)
        found.append(
            {"span": span, "date": f"{date_of(span)}", **day, "statistic": statistic, "alarm": alarm}
        )
    return found


def report(
    span: int, metric: str, watched: list[dict[str, Any]], config: ConceptDriftConfig, rows: int = 0
) -> dict[str, Any]:
    """What is written of the span: its own value and alarm, a sentence, and all days watched.

    rows: how many held-out rows of the span the champion was measured on.
    """
    today = next((day for day in watched if day["span"] == span), None)
    return {
        "span": span,
        "date": f"{date_of(span)}",
        "metric": metric,
        "threshold": config.threshold,
        "value": today and today["value"],
        "statistic": today and today["statistic"],
        "alarm": bool(today and today["alarm"]),
        "alarms": [day["date"] for day in watched if day["alarm"]],
        "sentence": _sentence(today, metric, config, rows),
        "watched": watched,
    }


def _sentence(today: Mapping[str, Any] | None, metric: str, config: ConceptDriftConfig, rows: int) -> str:
    if today is None and rows:
        return (
            f"Concept drift: the day says nothing, it has {rows} held-out rows and"
            f" {config.min_rows} are needed."
        )
    if today is None:
        return "Concept drift: the day says nothing, no champion was measured on it before it learned it."
    said = f"{metric} of the champion on {today['date']}, not learned yet, is {today['value']:.4f}"
    if today["statistic"] is None:
        return f"Concept drift: {said}; what is usual is being learned ({config.reference_days} days)."
    outcome = "an ALARM" if today["alarm"] else "no alarm"
    return (
        f"Concept drift: {said}; Page-Hinkley's statistic is {today['statistic']:.2f} "
        f"(threshold {config.threshold:g}): {outcome}."
    )


def _test(config: ConceptDriftConfig) -> PageHinkley:
    return PageHinkley(
        min_instances=1, delta=config.tolerance, threshold=config.threshold, alpha=1.0, mode="down"
    )
