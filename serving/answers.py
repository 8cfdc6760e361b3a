"""A predict answer's JSON from tensors: collapsed, with strings and numbers, as TF Serving writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from serving.codec import ROW
from serving.errors import invalid

_BYTES_SUFFIX = "_bytes"
_INTEGERS = ("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64")
_WRITABLE = frozenset(("bool", *_INTEGERS, "float32", "float64", "object"))  # object: strings
_CPP_NAMES = {"float16": "half"}


def encode(outputs: Mapping[str, np.ndarray], form: str) -> bytes:
    """The body of the answer to a request of that form (ROW or COLUMN).

    `outputs`: an array an output of the signature; strings are object arrays of bytes. Raises ApiError
    for what cannot be written in that form.
    """
    _check(outputs, form)
    if all(array.dtype.kind != "f" or np.isfinite(array).all() for array in outputs.values()):
        try:
            values = {name: _written(name, array, text=False) for name, array in outputs.items()}
            return orjson.dumps(_collapsed(values, form), option=orjson.OPT_SERIALIZE_NUMPY)
        except (UnicodeDecodeError, orjson.JSONEncodeError):
            pass  # bytes that are no UTF-8 go out as they are, as NaN and Infinity do: not with orjson
    values = {name: _written(name, array, text=True) for name, array in outputs.items()}
    return json.dumps(_collapsed(values, form), ensure_ascii=False).encode("utf-8", "surrogateescape")


def encode_results(values: Any) -> bytes:
    """The body of a classify or regress answer."""
    if isinstance(values, np.ndarray):
        values = _written("", values, text=True)
    return json.dumps({"results": values}, ensure_ascii=False).encode("utf-8", "surrogateescape")


def pairs(labels: np.ndarray, scores: np.ndarray) -> list[list[list]]:
    """A list of [label, score] an example, of [n, classes] arrays."""
    names, numbers = _written("", labels, text=True), _written("", scores, text=True)
    return [[list(pair) for pair in zip(*row, strict=True)] for row in zip(names, numbers, strict=True)]


def _check(outputs: Mapping[str, np.ndarray], form: str) -> None:
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    batch: int | None = None
    for name, array in outputs.items():
        kind = array.dtype.name
        if kind not in _WRITABLE:
            raise invalid(f"Failed to write JSON value for tensor type: {_CPP_NAMES.get(kind, kind)}")
        if form != ROW:
            continue
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if not len(array):
            raise invalid(f"Tensor name: {name} has invalid batch size: 0")
        if batch is not None and len(array) != batch:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}")
        batch = len(array)


def _collapsed(values: Mapping[str, Any], form: str) -> dict[str, Any]:
    """One output is its value alone; several are an object, in row form an object a row."""
    if form != ROW:
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}
    if len(values) == 1:
        return {"predictions": next(iter(values.values()))}
    rows = zip(*values.values(), strict=True)
    return {"predictions": [dict(zip(values, row, strict=True)) for row in rows]}


def _written(name: str, array: np.ndarray, *, text: bool) -> Any:
    """What the JSON writer is given: arrays for orjson; for `text` plain lists, floats at their own width."""
    if array.dtype == object:
        return _nested(iter(_strings(name, array, text=text)), array.shape)
    if not text:
        return array if array.ndim else array[()]
    if array.dtype == np.float32:  # 0.2, not 0.20000000298
        return _nested((float(str(value)) for value in array.ravel()), array.shape)
    return array.tolist()


def _strings(name: str, array: np.ndarray, *, text: bool) -> list:
    if name.endswith(_BYTES_SUFFIX):
        return [{"b64": base64.b64encode(value).decode()} for value in array.ravel()]
    return [value.decode("utf-8", "surrogateescape" if text else "strict") for value in array.ravel()]


def _nested(values: Iterator, shape: tuple[int, ...]) -> Any:
    """The flat values as lists in lists of that shape; one value for the empty shape."""
    if not shape:
        return next(values)
    return [_nested(values, shape[1:]) for _ in range(shape[0])]
