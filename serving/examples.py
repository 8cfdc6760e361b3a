"""Classify and regress requests: JSON feature objects as serialized `tf.train.Example`s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2

from serving import codec
from serving.errors import invalid
from serving.parse import shown


def examples_of(document: Mapping[str, Any]) -> np.ndarray:
    """The request's examples, serialized: object array [n] of bytes.

    Features of the optional `context` are part of every example. Raises ApiError.
    """
    context = _example(document["context"]) if "context" in document else None
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {shown(document)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    rows = document["examples"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    array = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        example = _example(row)
        if context is not None:
            example.MergeFrom(context)
        array[number] = example.SerializeToString()
    return array


def _example(features: Any) -> example_pb2.Example:
    if not isinstance(features, dict):
        raise invalid(f"Example must be JSON object but got JSON {codec.json_type(features)}")
    example = example_pb2.Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        example.features.feature[name].CopyFrom(_feature(name, values))
    return example


def _feature(name: str, values: list) -> feature_pb2.Feature:
    """A list of one kind: strings and `{"b64": …}`, integers and truth values, or decimals."""
    feature = feature_pb2.Feature()
    kinds = {_kind(name, value) for value in values}
    if len(kinds) > 1:
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {_kind(name, values[0])}")
    kind = kinds.pop() if kinds else None
    if kind == "bytes":
        feature.bytes_list.value.extend(codec.as_bytes(value) for value in values)
    elif kind == "float":
        feature.float_list.value.extend(_float32(value) for value in values)
    elif kind == "int64":
        feature.int64_list.value.extend(int(value) for value in values)
    return feature


def _kind(name: str, value: Any) -> str:
    if isinstance(value, str) or codec.is_base64(value):
        return "bytes"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):
        if value >= 2**63:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {codec.json_type(value)}")


def _float32(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))
