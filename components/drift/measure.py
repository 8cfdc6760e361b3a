"""How far a day's rows lie from earlier ones: TFDV's comparators, as a plain list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.rows import LEARN
from schemas.spans import date_of

REPORT_FILE = "report.json"
STATISTICS_FILE = "FeatureStats.pb"
WEEK = 7
MEASURES = {1: "l_infinity", 2: "jensen_shannon", 3: "normalized_absolute_difference"}


def load_statistics(folder: str | Path) -> Any:
    """Statistics of the rows to learn, from the folder of an ExampleStatistics artifact."""
    import tensorflow_data_validation as tfdv

    return tfdv.load_stats_binary(str(Path(folder) / f"Split-{LEARN}" / STATISTICS_FILE))


def load_schema(path: str | Path) -> Any:
    """A TFMD schema from its text file."""
    import tensorflow_data_validation as tfdv

    return tfdv.load_schema_text(str(path))


def measure(span: int, statistics: Any, earlier: Mapping[int, Any], schema: Any) -> list[dict[str, Any]]:
    """Distances of `statistics` from the newest of `earlier` (drift) and from a week before (skew).

    `earlier`: span -> statistics of spans before this one; what is not there is not compared. Returns
    {feature, measure, value, threshold, over, kind, against (a date)}, those over their threshold first.
    """
    found = []
    spans = [other for other in earlier if other < span and _rows(earlier[other])]
    if not _rows(statistics) or not spans:
        return []
    newest = max(spans)
    found += _distances(statistics, schema, "drift", newest, earlier[newest])
    if span - WEEK in spans:
        found += _distances(statistics, schema, "skew", span - WEEK, earlier[span - WEEK])
    return sorted(found, key=lambda one: (not one["over"], one["feature"], one["kind"]))


def write_report(folder: str | Path, span: int, distances: list[dict[str, Any]]) -> None:
    """`report.json`: span, date, how many are over their thresholds, and all distances."""
    report = {
        "span": span,
        "date": date_of(span).isoformat(),
        "over": sum(one["over"] for one in distances),
        "distances": distances,
    }
    (Path(folder) / REPORT_FILE).write_text(json.dumps(report, indent=1))


def _distances(statistics: Any, schema: Any, kind: str, against: int, other: Any) -> list[dict[str, Any]]:
    import tensorflow_data_validation as tfdv

    role = {"drift": "previous_statistics", "skew": "serving_statistics"}[kind]
    anomalies = tfdv.validate_statistics(statistics, schema, **{role: other})
    return [
        {
            "feature": compared.path.step[0],
            "measure": MEASURES.get(one.type, "unknown"),
            "value": one.value,
            "threshold": one.threshold,
            "over": one.value > one.threshold,
            "kind": kind,
            "against": date_of(against).isoformat(),
        }
        for compared in anomalies.drift_skew_info
        for one in (compared.drift_measurements if kind == "drift" else compared.skew_measurements)
    ]


def _rows(statistics: Any) -> int:
    return statistics.datasets[0].num_examples if statistics.datasets else 0
