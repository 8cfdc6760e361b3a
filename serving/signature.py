"""The signatures of a SavedModel: what predict needs of them, and the metadata answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

SERVE_TAG = "serve"
DEFAULT = "serving_default"


@dataclass(frozen=True)
class Signature:
    """Names and types (`types_pb2.DataType` numbers) of one signature's inputs and outputs."""

    name: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    definition: meta_graph_pb2.SignatureDef


def type_name(dtype: int) -> str:
    """A type as TensorFlow's C++ names it: `float`, `int64`, `string`, `half`."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def read_signatures(version: Path) -> dict[str, Signature]:
    """The signatures in `version/saved_model.pb`, by name.

    Raises FileNotFoundError or ValueError, in one sentence, for a folder that holds no SavedModel.
    """
    path = version / "saved_model.pb"
    if not path.is_file():
        raise FileNotFoundError(
            f"Could not find SavedModel .pb or .pbtxt at supplied export directory path: {version}"
        )
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception:  # google.protobuf has no common base for its parse errors across back ends
        raise ValueError(f"Can't parse {path} as binary proto") from None
    for graph in model.meta_graphs:
        if SERVE_TAG in graph.meta_info_def.tags:
            return {name: _signature(name, graph.signature_def[name]) for name in sorted(graph.signature_def)}
    raise ValueError(f"Could not find meta graph def matching supplied tags: {{ {SERVE_TAG} }} in {path}")


def _signature(name: str, definition: meta_graph_pb2.SignatureDef) -> Signature:
    return Signature(
        name=name,
        inputs={key: definition.inputs[key].dtype for key in sorted(definition.inputs)},
        outputs={key: definition.outputs[key].dtype for key in sorted(definition.outputs)},
        definition=definition,
    )


def metadata(model: str, version: int, signatures: Mapping[str, Signature]) -> dict:
    """The body of a metadata answer: protobuf's JSON form, default values printed, int64 as strings."""
    definitions = {
        name: json_format.MessageToDict(
            signature.definition, including_default_value_fields=True, preserving_proto_field_name=True
        )
        for name, signature in signatures.items()
    }
    return {
        "model_spec": {"name": model, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": definitions}},
    }
