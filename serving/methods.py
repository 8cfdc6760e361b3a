"""What can be asked of a model: predict, classify, regress.

Each takes the parsed request, checks what TF Serving checks before it looks for the model, and gives what
is to be asked once the model is found: inputs for a signature, and what the outputs are made into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2 as types

from serving import answers, codec
from serving.errors import ApiError, Code, invalid
from serving.examples import examples_of
from serving.model import Model
from serving.signature import Signature, type_name

Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Asked:
    """One run of a signature."""

    signature: str
    inputs: Tensors
    body: Callable[[Tensors], bytes]
    """The answer's body from the run's outputs; ApiError where they cannot be told."""


Question = Callable[[Model], Asked]
Method = Callable[[Mapping[str, Any]], Question]
_CLASSES, _SCORES, _VALUES = "classes", "scores", "outputs"


def predict(document: Mapping[str, Any]) -> Question:
    """Tensors in, tensors out."""
    name = codec.signature_name(document)

    def ask(model: Model) -> Asked:
        form, inputs = codec.tensors(document, model.signature(name).inputs)
        return Asked(name, inputs, lambda outputs: answers.encode(outputs, form))

    return ask


def classify(document: Mapping[str, Any]) -> Question:
    """Examples in; a list of (label, score) an example out, from outputs `classes` and `scores`."""
    name = codec.signature_name(document)
    examples = examples_of(document)

    def ask(model: Model) -> Asked:
        signature = _signature(model, name, "classification")
        if len(signature.outputs) not in (1, 2):
            raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
        if not {_CLASSES, _SCORES} & signature.outputs.keys():
            raise ApiError(
                Code.FAILED_PRECONDITION,
                "Expected classification signature outputs to contain at least one of "
                f'"{_CLASSES}" or "{_SCORES}". Signature was: {signature.definition}',
            )
        return Asked(name, {"inputs": examples}, lambda outputs: _classes(signature, outputs, len(examples)))

    return ask


def _classes(signature: Signature, outputs: Tensors, examples: int) -> bytes:
    labels = _matrix(outputs.get(_CLASSES), types.DT_STRING, signature, _CLASSES, examples)
    scores = _matrix(outputs.get(_SCORES), types.DT_FLOAT, signature, _SCORES, examples)
    widths = {column.shape[1] for column in (labels, scores) if column is not None}
    if len(widths) > 1:
        raise invalid("Tensors class and score should match in dim_size(1). Got different widths")
    shape = (examples, widths.pop())
    labels = np.full(shape, b"", dtype=object) if labels is None else labels
    scores = np.zeros(shape, np.float32) if scores is None else scores
    return answers.encode_results(answers.pairs(labels, scores))


def regress(document: Mapping[str, Any]) -> Question:
    """Examples in; a number an example out, from the output `outputs`."""
    name = codec.signature_name(document)
    examples = examples_of(document)

    def ask(model: Model) -> Asked:
        signature = _signature(model, name, "regression")
        if len(signature.outputs) != 1:
            raise invalid("Expected one output Tensor.")
        if _VALUES not in signature.outputs:
            raise ApiError(
                Code.FAILED_PRECONDITION,
                f"No regression outputs found in SignatureDef: {signature.definition}",
            )
        return Asked(name, {"inputs": examples}, lambda outputs: _values(signature, outputs, len(examples)))

    return ask


def _values(signature: Signature, outputs: Tensors, examples: int) -> bytes:
    values = outputs[_VALUES]
    if values.ndim != 1 and not (values.ndim == 2 and values.shape[1] == 1):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            f"but got {list(values.shape)}"
        )
    if len(values) != examples:
        raise invalid(f"Input batch size did not match output batch size: {examples} vs. {len(values)}")
    if signature.outputs[_VALUES] != types.DT_FLOAT:
        got = types.DataType.Name(signature.outputs[_VALUES])
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {got}")
    return answers.encode_results(values.ravel())


METHODS: dict[str, Method] = {
    "predict": predict,
    "classify": classify,
    "regress": regress,
}


def _signature(model: Model, name: str, kind: str) -> Signature:
    signature = model.signatures.get(name)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if "inputs" not in signature.inputs:
        raise ApiError(
            Code.FAILED_PRECONDITION, f"No {kind} inputs found in SignatureDef: {signature.definition}"
        )
    if signature.inputs["inputs"] != types.DT_STRING:
        raise invalid(f"Expected serialized examples, but inputs is {type_name(signature.inputs['inputs'])}")
    return signature


def _matrix(
    array: np.ndarray | None, dtype: int, signature: Signature, name: str, examples: int
) -> np.ndarray | None:
    """The output checked to be [examples, classes] of that type; None stays None."""
    if array is None:
        return None
    if array.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}")
    if signature.outputs[name] != dtype:
        expected, got = types.DataType.Name(dtype), types.DataType.Name(signature.outputs[name])
        raise invalid(f"Expected {name} Tensor of {expected}. Got: {got}")
    if len(array) != examples:
        raise invalid(f"Expected {name} output batch size of {examples}. Got: {len(array)}")
    return array
