import json

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.record.checks import (
    anomaly_metrics,
    concept_drift_metrics,
    drift_metrics,
    quality_metrics,
)


def test_quality_counts(tmp_path):
    result = {"expectations": [{}, {}, {}], "critical_failed": [], "warnings": ["prices are positive"]}
    (tmp_path / "result.json").write_text(json.dumps(result))
    counts = quality_metrics([tmp_path])
    assert counts == {"quality/expectations": 3.0, "quality/critical_failed": 0.0, "quality/warnings": 1.0}
    assert quality_metrics([]) == {}


def test_anomalies_are_counted_by_split(tmp_path):
    found = anomalies_pb2.Anomalies()
    found.anomaly_info["price"].description = "missing"
    for split, message in (("learn", found), ("held_out", anomalies_pb2.Anomalies())):
        (tmp_path / f"Split-{split}").mkdir()
        (tmp_path / f"Split-{split}" / "SchemaDiff.pb").write_bytes(message.SerializeToString())
    assert anomaly_metrics([tmp_path]) == {"anomalies/held_out": 0.0, "anomalies/learn": 1.0}


def test_distances_are_named_by_kind_and_feature(tmp_path):
    distances = [
        {"feature": "hour", "kind": "weekday", "value": 0.25, "over": True},
        {"feature": "hour", "kind": "window", "value": 0.125, "over": False},
    ]
    (tmp_path / "report.json").write_text(json.dumps({"over": 1, "distances": distances}))
    assert drift_metrics([tmp_path]) == {
        "drift/over_threshold": 1.0,
        "drift/hour": 0.125,
        "drift_weekday/hour": 0.25,
    }
    assert drift_metrics([]) == {}


def test_the_statistic_of_concept_drift_is_logged_once_there_is_one(tmp_path):
    report = {"value": 0.25, "statistic": None, "alarm": False}
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert concept_drift_metrics([tmp_path]) == {"concept_drift/value": 0.25, "concept_drift/alarm": 0.0}
    (tmp_path / "report.json").write_text(json.dumps(report | {"statistic": 7.5, "alarm": True}))
    assert concept_drift_metrics([tmp_path]) == {
        "concept_drift/value": 0.25,
        "concept_drift/statistic": 7.5,
        "concept_drift/alarm": 1.0,
    }
