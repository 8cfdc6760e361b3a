import json

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.record.checks import anomaly_metrics, quality_metrics


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
