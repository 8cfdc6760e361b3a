"""What Great Expectations and TFDV found, as metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

DRIFT_PREFIX = {"window": "drift", "weekday": "drift_weekday"}


def quality_metrics(reports: Iterable[Path]) -> dict[str, float]:
    """Counts over the `result.json` of quality reports; empty without any."""
    results = [json.loads((folder / "result.json").read_text()) for folder in reports]
    if not results:
        return {}
    return {
        "quality/expectations": float(sum(len(one["expectations"]) for one in results)),
        "quality/critical_failed": float(sum(len(one["critical_failed"]) for one in results)),
        "quality/warnings": float(sum(len(one["warnings"]) for one in results)),
    }


def anomaly_metrics(folders: Iterable[Path]) -> dict[str, float]:
    """Features with anomalies a split, from ExampleValidator's `Split-<name>/SchemaDiff.pb`."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    counts: dict[str, float] = {}
    for folder in folders:
        for path in sorted(folder.glob("Split-*/SchemaDiff.pb")):
            found = anomalies_pb2.Anomalies.FromString(path.read_bytes())
            name = f"anomalies/{path.parent.name.removeprefix('Split-')}"
            counts[name] = counts.get(name, 0.0) + len(found.anomaly_info)
    return counts


def drift_metrics(reports: Iterable[Path]) -> dict[str, float]:
    """Distances of each feature: `drift/…` from the trailing window, `drift_weekday/…` from that weekday."""
    found: dict[str, float] = {}
    for folder in reports:
        report = json.loads((folder / "report.json").read_text())
        found["drift/over_threshold"] = float(report["over"])
        for one in report["distances"]:
            found[f"{DRIFT_PREFIX[one['kind']]}/{one['feature']}"] = float(one["value"])
    return found


def concept_drift_metrics(reports: Iterable[Path]) -> dict[str, float]:
    """`concept_drift/…`: the champion's next-day value and Page-Hinkley's statistic, where there are any."""
    found: dict[str, float] = {}
    for folder in reports:
        report = json.loads((folder / "report.json").read_text())
        told = {name: report[name] for name in ("value", "statistic", "alarm")}
        found |= {f"concept_drift/{name}": float(one) for name, one in told.items() if one is not None}
    return found
