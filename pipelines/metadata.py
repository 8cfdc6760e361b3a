"""The one MLMD store that both pipelines write to."""

from __future__ import annotations

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from schemas.home import Home


def connection(home: Home) -> metadata_store_pb2.ConnectionConfig:
    """SQLite beside the artifacts; its folder is made if missing."""
    home.root.mkdir(parents=True, exist_ok=True)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(home.metadata)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return config


def store(home: Home) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(connection(home))


def result(home: Home, execution_id: int) -> tuple[str, dict[str, list[str]]]:
    """State of an execution (`complete`, `cached`, …) and the places of its outputs by key."""
    opened = store(home)
    (execution,) = opened.get_executions_by_id([execution_id])
    state = metadata_store_pb2.Execution.State.Name(execution.last_known_state).lower()
    events = [
        event
        for event in opened.get_events_by_execution_ids([execution_id])
        if event.type in (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
    ]
    places = {one.id: one.uri for one in opened.get_artifacts_by_id([event.artifact_id for event in events])}
    outputs: dict[str, list[str]] = {}
    for event in events:
        outputs.setdefault(event.path.steps[0].key, []).append(places[event.artifact_id])
    return state, outputs
