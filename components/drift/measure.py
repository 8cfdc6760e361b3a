"""How far a day's rows lie from earlier ones: TFDV's comparators, as a plain list."""

from __future__ import annotations

import json
import statistics as numbers
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.statistics.compute import STATISTICS_FILE
from schemas.rows import LEARN
from schemas.spans import date_of

REPORT_FILE = "report.json"
PLOT_FILE = "drift.png"
WEEK = 7
WINDOW, WEEKDAY = "window", "weekday"
MEASURES = {1: "l_infinity", 2: "jensen_shannon", 3: "normalized_absolute_difference"}
_NAMED = 5
"""Features that a finding names."""


def load_statistics(folder: str | Path) -> Any:
    """Statistics of the rows to learn, from the folder of an ExampleStatistics artifact."""
    import tensorflow_data_validation as tfdv

    return tfdv.load_stats_binary(str(Path(folder) / f"Split-{LEARN}" / STATISTICS_FILE))


def load_schema(path: str | Path) -> Any:
    """A TFMD schema from its text file."""
    import tensorflow_data_validation as tfdv

    return tfdv.load_schema_text(str(path))


def measure(
    span: int, statistics: Any, earlier: Mapping[int, Any], schema: Any, window: int = WEEK
) -> list[dict[str, Any]]:
    """Distances of `statistics` from the `window` newest of `earlier`, and from the same weekday before.

    earlier: span -> statistics of spans before this one; what is not there is not compared. The distance
    from the window is the median of the distances from its spans: TFDV cannot merge statistics of one
    feature, a median needs the stored ones only, and one odd day in the window does not move it. Returns
    {feature, measure, value, threshold, over, kind (window, weekday), against (dates)}, those over their
    threshold first.
    """
    spans = sorted(other for other in earlier if other < span and _rows(earlier[other]))
    if not _rows(statistics) or not spans:
        return []
    now = _without_nan(statistics)
    compared = {other: _without_nan(earlier[other]) for other in {*spans[-window:], span - WEEK} & {*spans}}
    found = _distances(now, schema, WINDOW, {other: compared[other] for other in spans[-window:]})
    if span - WEEK in compared:
        found += _distances(now, schema, WEEKDAY, {span - WEEK: compared[span - WEEK]})
    return sorted(found, key=lambda one: (not one["over"], one["feature"], one["kind"]))


def finding(distances: Sequence[Mapping[str, Any]]) -> str:
    """What was found, as a sentence."""
    over = [one for one in distances if one["over"]]
    features = len({one["feature"] for one in distances})
    if not distances:
        return "Input drift: there was nothing to hold the day against."
    if not over:
        return f"Input drift: none of {features} features is over its threshold."
    most = sorted(over, key=lambda one: -one["value"] / one["threshold"])[:_NAMED]
    named = "; ".join(
        f"{one['feature']} {one['measure']} {one['value']:.3f} > {one['threshold']:g} against "
        f"{one['against']}"
        for one in most
    )
    more = f"; and {len(over) - len(most)} more distances" if len(over) > len(most) else ""
    drifted = len({one["feature"] for one in over})
    return f"Input drift: {drifted} of {features} features over their threshold: {named}{more}."


def sentences(folders: Iterable[Path]) -> list[str]:
    """What the reports in these folders found, a sentence each: of input drift or of concept drift."""
    return [json.loads((folder / REPORT_FILE).read_text())["sentence"] for folder in folders]


def write_report(folder: str | Path, span: int, distances: list[dict[str, Any]], sentence: str) -> None:
    """`report.json`: span, date, how many are over their thresholds, a sentence and all distances."""
    report = {
        "span": span,
        "date": date_of(span).isoformat(),
        "over": sum(one["over"] for one in distances),
        "sentence": sentence,
        "distances": distances,
    }
    (Path(folder) / REPORT_FILE).write_text(json.dumps(report, indent=1))


def _distances(statistics: Any, schema: Any, kind: str, others: Mapping[int, Any]) -> list[dict[str, Any]]:
    values = defaultdict(list)
    for other in others.values():
        for feature, one in _compare(statistics, schema, kind, other):
            values[feature, MEASURES.get(one.type, "unknown"), one.threshold].append(one.value)
    against = " to ".join(dict.fromkeys(f"{date_of(span)}" for span in (min(others), max(others))))
    return [
        {
            "feature": feature,
            "measure": name,
            "value": (value := numbers.median(found)),
            "threshold": threshold,
            "over": value > threshold,
            "kind": kind,
            "against": against,
        }
        for (feature, name, threshold), found in values.items()
    ]


def _compare(statistics: Any, schema: Any, kind: str, other: Any) -> list[tuple[str, Any]]:
    """TFDV compares by role: drift_comparator is for the window, skew_comparator for the weekday."""
    import tensorflow_data_validation as tfdv

    role = {WINDOW: "previous_statistics", WEEKDAY: "serving_statistics"}[kind]
    comparable = _without_empty(schema, (statistics, other))
    found = tfdv.validate_statistics(statistics, comparable, **{role: other}).drift_skew_info
    return [
        (compared.path.step[0], one)
        for compared in found
        for one in (compared.drift_measurements if kind == WINDOW else compared.skew_measurements)
    ]


def _without_empty(schema: Any, sides: Sequence[Any]) -> Any:
    """A copy that compares no number of which one side has no value: TFDV warns of each on stderr."""
    copy = type(schema)()
    copy.CopyFrom(schema)
    valued = [{one.path.step[0] for one in side.datasets[0].features if _has_numbers(one)} for side in sides]
    for feature in copy.feature:
        if feature.drift_comparator.HasField("jensen_shannon_divergence") and not all(
            feature.name in names for names in valued
        ):
            feature.ClearField("drift_comparator")
            feature.ClearField("skew_comparator")
    return copy


def _has_numbers(feature: Any) -> bool:
    return any(bucket.sample_count for one in feature.num_stats.histograms for bucket in one.buckets)


def _without_nan(statistics: Any) -> Any:
    """A copy without counts of NaN: with them TFDV's Jensen-Shannon of a column with itself is not 0."""
    copy = type(statistics)()
    copy.CopyFrom(statistics)
    for feature in copy.datasets[0].features:
        for histogram in feature.num_stats.histograms:
            histogram.num_nan = 0
    return copy


def _rows(statistics: Any) -> int:
    return statistics.datasets[0].num_examples if statistics.datasets else 0
