from ml_metadata.proto import metadata_store_pb2 as proto
from tfx.types.standard_artifacts import Examples

from components.artifacts import DataStateArtifact
from components.base.training import last_made_with
from tests.components.base.test_lookup import put, store

__all__ = ["store"]


def run(store, *written):
    """An execution that wrote these artifacts."""
    kind = store.put_execution_type(proto.ExecutionType(name="Features"))
    (execution,) = store.put_executions([proto.Execution(type_id=kind)])
    store.put_events(
        [proto.Event(artifact_id=one, execution_id=execution, type=proto.Event.OUTPUT) for one in written]
    )


def test_what_one_execution_wrote_belongs_together_in_whatever_order(store):
    earlier = put(store, Examples, 1, "rows/1")
    data, rows = put(store, DataStateArtifact, 2, "data/2"), put(store, Examples, 2, "rows/2")
    later = put(store, Examples, 3, "rows/3")
    run(store, earlier)
    run(store, data, rows)
    run(store, later)
    assert last_made_with(store, data) == last_made_with(store, rows) == rows
    assert earlier < last_made_with(store, data) < later
