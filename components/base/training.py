"""What a model was made from, as MLMD knows it: the inputs of the Trainer that made it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

HYPERPARAMETERS_FILE = "hyperparameters.txt"
"""TFX's name for it."""
OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)


@dataclass(frozen=True)
class Training:
    """Everything that `learn` was given."""

    rows: Path
    """Folder of the training rows, with a `Split-<name>` each."""
    base: Path | None
    """Folder of the base's Model artifact; None for a first model."""
    told: dict[str, Any]
    """What the replay step told beside the rows: config, data_state, spans, span, list_length."""

    def splits(self) -> list[Path]:
        return sorted(self.rows.glob("Split-*"))


def training_of(store: mlmd.MetadataStore, model_uri: str) -> Training:
    """Looks up the execution that made the Model artifact at that place; ValueError where MLMD has none."""
    models = store.get_artifacts_by_uri(model_uri)
    if not models:
        raise ValueError(f"MLMD does not know what made {model_uri}: restore metadata.sqlite beside it")
    inputs = inputs_of(store, maker_of(store, models[-1].id))
    places = {one.id: Path(one.uri) for one in store.get_artifacts_by_id(list(inputs.values()))}
    base = inputs.get("base_model")
    told = places[inputs["hyperparameters"]] / HYPERPARAMETERS_FILE
    return Training(
        rows=places[inputs["examples"]],
        base=places[base] if base is not None else None,
        told=json.loads(told.read_text()),
    )


def maker_of(store: mlmd.MetadataStore, artifact: int) -> int:
    """The id of the execution that wrote an artifact; those that took it from the cache came later."""
    events = store.get_events_by_artifact_ids([artifact])
    return min(one.execution_id for one in events if one.type in OUTPUTS)


def last_made_with(store: mlmd.MetadataStore, artifact: int) -> int:
    """The highest id of what the same execution wrote: within one, ids follow no order of their own."""
    events = store.get_events_by_execution_ids([maker_of(store, artifact)])
    return max(one.artifact_id for one in events if one.type in OUTPUTS)


def inputs_of(store: mlmd.MetadataStore, execution: int) -> dict[str, int]:
    """Ids of an execution's input artifacts by key; of several under one key the last."""
    events = store.get_events_by_execution_ids([execution])
    return {one.path.steps[0].key: one.artifact_id for one in events if one.type not in OUTPUTS}
