"""The curated schema made to fit the features that a deployment happens to have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.rows import ITEM_PREFIX, USER_PREFIX, features_of

LARGEST_CHANGE = 0.1
"""Default threshold on the change of one value's share, for text features that the curated schema lacks."""
DIVERGENCE = 0.2
"""Default threshold on the Jensen-Shannon divergence, for number features of users."""


def fitted(curated: Any, statistics: Any) -> Any:
    """A copy of the curated TFMD schema with the types and columns that the statistics show.

    Optional features get the type that they have here (an age may be a number or a bracket), features
    of other names get default comparators. Contract columns stay as they are.
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
        else:
            feature.ClearField("drift_comparator")
            feature.ClearField("skew_comparator")
        feature.type = type_
        feature.presence.min_fraction = 0.0
        _compare(feature, type_ == schema_pb2.BYTES)
    return schema


def _compare(feature: Any, text: bool) -> None:
    for comparator in (feature.drift_comparator, feature.skew_comparator):
        if text:
            comparator.infinity_norm.threshold = LARGEST_CHANGE
        elif feature.name.startswith(USER_PREFIX):  # item numbers may hold NaN, which TFDV miscounts
            comparator.jensen_shannon_divergence.threshold = DIVERGENCE


def _columns(statistics: Any) -> Iterable[Any]:
    return statistics.datasets[0].features if statistics.datasets else ()


def _is_feature(name: str) -> bool:
    return name != ITEM_PREFIX + "price" and bool(
        features_of([name], ITEM_PREFIX) or features_of([name], USER_PREFIX)
    )


_TYPES = {0: "INT", 1: "FLOAT", 2: "BYTES", 3: "BYTES", 4: "STRUCT"}
"""FeatureNameStatistics.Type -> FeatureType."""
