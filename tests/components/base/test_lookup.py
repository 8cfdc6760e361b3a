import json

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types.standard_artifacts import Examples

from components.artifacts import DataStateArtifact
from components.base import lookup
from components.base.strategies import DataBefore


@pytest.fixture
def store(tmp_path):
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "m.sqlite")
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return mlmd.MetadataStore(config)


LIVE, PENDING = metadata_store_pb2.Artifact.LIVE, metadata_store_pb2.Artifact.PENDING


def put(store, kind, span, uri, state=LIVE, spans=None):
    artifact = kind()
    artifact.uri, artifact.span = uri, span
    if kind is Examples:
        artifact.set_string_custom_property(lookup.SPANS, json.dumps(spans or [span]))
        artifact.split_names = json.dumps(["learn", "held_out"])
    kind_id = store.put_artifact_type(artifact.artifact_type)
    proto = artifact.mlmd_artifact
    proto.type_id, proto.state = kind_id, state
    return store.put_artifacts([proto])[0]


def before(store, span, folder):
    return DataBefore(span, span, str(folder)).resolve_artifacts(store, {})


def test_before_means_by_span_not_by_age(store):
    put(store, DataStateArtifact, 6, "six")
    put(store, DataStateArtifact, 5, "five, ingested late")
    found = lookup.live(store, DataStateArtifact)
    assert [one.uri for one in lookup.before_span(found, 7)] == ["six"]
    assert [one.uri for one in lookup.before_span(found, 6)] == ["five, ingested late"]
    assert lookup.before_span(found, 5) == []


def test_the_newest_of_a_span_counts(store, tmp_path):
    for uri in ("first", "again"):
        put(store, DataStateArtifact, 5, uri)
    found = lookup.live(store, DataStateArtifact)
    assert [one.uri for one in lookup.at_span(found, 5)] == ["again"]
    assert before(store, 6, tmp_path)["before"][0].uri == "again"


def test_an_artifact_of_an_unfinished_step_does_not_exist(store):
    put(store, DataStateArtifact, 5, "half", state=PENDING)
    assert lookup.live(store, DataStateArtifact) == []


def test_nothing_is_found_in_an_empty_store(store, tmp_path):
    assert lookup.live(store, DataStateArtifact) == []
    assert before(store, 3, tmp_path) == {"before": [], "accepted": []}


def test_rows_of_every_unlearned_span_are_covered_by_the_newest_artifacts(store):
    put(store, Examples, 10, "stretch", spans=[1, 2, 9, 10])
    put(store, Examples, 11, "eleven")
    put(store, Examples, 12, "twelve")
    put(store, Examples, 11, "eleven again")
    found = lookup.feature_rows(lookup.live(store, Examples))
    assert [one.uri for one in lookup.covering(found, {11, 12})] == ["twelve", "eleven again"]
    assert [one.uri for one in lookup.covering(found, {10})] == ["stretch"]
    assert lookup.covering(found, set()) == []


def test_the_newest_artifact_of_each_of_the_newest_spans_makes_a_window(store):
    for span, uri in ((3, "three"), (5, "five"), (4, "four"), (5, "five again"), (6, "six")):
        put(store, DataStateArtifact, span, uri)
    found = lookup.live(store, DataStateArtifact)
    assert [one.uri for one in lookup.newest_before(found, 6, most=2)] == ["four", "five again"]
    assert [one.uri for one in lookup.newest_before(found, 6, most=9)] == ["three", "four", "five again"]
    assert lookup.newest_before(found, 3, most=2) == []
