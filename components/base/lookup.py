"""Finding artifacts in MLMD by type, span and place. MLMD's own order is by id, never by span."""

import json
from collections.abc import Iterable
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.types.artifact import Artifact, ArtifactState
from tfx.types.artifact_utils import deserialize_artifact

from components.artifacts import SPANS, DataStateArtifact
from components.base.training import inputs_of, maker_of
from schemas import lineage
from schemas.rows import LEARN


def live(store: mlmd.MetadataStore, kind: type[Artifact]) -> list[Artifact]:
    """Every artifact of the type that was published whole, oldest first."""
    try:
        of_type = store.get_artifact_type(kind.TYPE_NAME)
    except mlmd.errors.NotFoundError:
        return []
    protos = store.get_artifacts_by_type(kind.TYPE_NAME)
    found = [
        deserialize_artifact(of_type, proto)
        for proto in sorted(protos, key=lambda proto: proto.id)
        if proto.state == metadata_store_pb2.Artifact.LIVE
    ]
    return [one for one in found if one.state == ArtifactState.PUBLISHED]


def at_span(artifacts: Iterable[Artifact], span: int) -> list[Artifact]:
    """The newest artifact of exactly that span, as a list of none or one."""
    return [one for one in artifacts if one.span == span][-1:]


def before_span(artifacts: Iterable[Artifact], span: int) -> list[Artifact]:
    """The artifact of the highest span below `span`, the newest one of it, as a list of none or one."""
    earlier = [one for one in artifacts if one.span < span]
    return [max(earlier, key=lambda one: (one.span, one.id))] if earlier else []


def newest_before(artifacts: Iterable[Artifact], span: int, most: int) -> list[Artifact]:
    """The artifacts of the `most` highest spans below `span`, the newest one of each, oldest span first."""
    of_span = {one.span: one for one in sorted(artifacts, key=lambda one: one.id) if one.span < span}
    return [of_span[earlier] for earlier in sorted(of_span)[-most:]]


def by_uri(artifacts: Iterable[Artifact], uri: str) -> list[Artifact]:
    """The newest artifact at that place, as a list of none or one."""
    return [one for one in artifacts if one.uri == uri][-1:]


def learned_with(store: mlmd.MetadataStore, serving: Path, version: int) -> list[Artifact]:
    """The data state as of which the weights that a version serves were learned, none or one.

    Events that came or were corrected later, whatever MLMD has of them, are unknown to these weights.
    """
    return by_uri(live(store, DataStateArtifact), lineage.learner(serving, version).data_uri)


def spans_of(rows: Artifact) -> list[int]:
    """The spans that rows cover: of a stretch, those days that were delivered."""
    return json.loads(rows.get_string_custom_property(SPANS) or "[]")


def feature_rows(examples: Iterable[Artifact]) -> list[Artifact]:
    """The Examples that Features wrote (Replay writes Examples of other splits)."""
    return [one for one in examples if LEARN in json.loads(one.split_names or "[]")]


def handed_on(store: mlmd.MetadataStore, rows: Artifact) -> Artifact:
    """The events that rows were made of."""
    (found,) = store.get_artifacts_by_id([inputs_of(store, maker_of(store, rows.id))["events"]])
    return deserialize_artifact(store.get_artifact_type(found.type), found)


def covering(examples: Iterable[Artifact], spans: set[int]) -> list[Artifact]:
    """The newest rows of each of `spans`: the fewest artifacts, oldest first. Others may be in them too."""
    missing, chosen = set(spans), []
    for one in sorted(examples, key=lambda one: one.id, reverse=True):
        if missing.intersection(spans_of(one)):
            missing.difference_update(spans_of(one))
            chosen.append(one)
    return chosen[::-1]
