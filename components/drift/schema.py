"""The curated schema made to fit the features that a deployment happens to have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.drift.config import DriftConfig
from schemas.rows import ITEM_PREFIX, USER_PREFIX, features_of

DEFAULTS = DriftConfig()


def fitted(curated: Any, statistics: Any, config: DriftConfig = DEFAULTS) -> Any:
    """A copy of the curated TFMD schema with the types and columns that the statistics show.

    Optional features get the type that they have here (an age may be a number or a bracket), features
    of other names get the default comparators, and `config.thresholds` comes before all. Else contract
    columns stay as they are.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    schema.CopyFrom(curated)
    known = {feature.name: feature for feature in schema.feature}
    for column in _columns(statistics):
        name = column.path.step[0]
        type_ = schema_pb2.FeatureType.Value(_TYPES[column.type])
        if not _is_feature(name) or (name in known and known[name].type == type_):
            continue
        feature = known.get(name)
        if feature is None:
            feature = schema.feature.add(name=name)
        feature.type = type_
        feature.presence.min_fraction = 0.0
        _compare(feature, config.l_infinity if type_ == schema_pb2.BYTES else config.jensen_shannon)
    for feature in schema.feature:
        if feature.name in config.thresholds:
            _compare(feature, config.thresholds[feature.name])
    return schema


def unknown(schema: Any, config: DriftConfig) -> list[str]:
    """A sentence for each configured threshold that stands for no column of the schema."""
    columns = {feature.name for feature in schema.feature}
    missing = sorted(set(config.thresholds) - columns)
    return [f"drift.thresholds names {name}, which is no column of the rows." for name in missing]


def _compare(feature: Any, threshold: float) -> None:
    from tensorflow_metadata.proto.v0 import schema_pb2

    for name in ("drift_comparator", "skew_comparator"):
        feature.ClearField(name)
        comparator = getattr(feature, name)
        if feature.type == schema_pb2.BYTES:
            comparator.infinity_norm.threshold = threshold
        else:
            comparator.jensen_shannon_divergence.threshold = threshold


def _columns(statistics: Any) -> Iterable[Any]:
    return statistics.datasets[0].features if statistics.datasets else ()


def _is_feature(name: str) -> bool:
    return name != ITEM_PREFIX + "price" and bool(
        features_of([name], ITEM_PREFIX) or features_of([name], USER_PREFIX)
    )


_TYPES = {0: "INT", 1: "FLOAT", 2: "BYTES", 3: "BYTES", 4: "STRUCT"}
"""FeatureNameStatistics.Type -> FeatureType."""
