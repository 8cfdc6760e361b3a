"""A predict request's JSON as tensors: TF Serving's row form and column form, its checks, its words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2 as types

from serving.errors import ApiError, Code, invalid
from serving.parse import shown
from serving.signature import DEFAULT, type_name

ROW, COLUMN = "instances", "inputs"
MAX_RANK = 32
"""numpy's; TensorFlow's own graphs end at 8 for most operations."""

_INT32 = (-(2**31), 2**31 - 1)
_INTEGERS: dict[int, tuple[tuple[int, int], type]] = {  # accepted range, and the type it is stored in
    types.DT_INT8: (_INT32, np.int8),  # narrow types take any int32 and wrap
    types.DT_UINT8: (_INT32, np.uint8),
    types.DT_INT16: (_INT32, np.int16),
    types.DT_INT32: (_INT32, np.int32),
    types.DT_UINT32: ((0, 2**32 - 1), np.uint32),
    types.DT_INT64: ((-(2**63), 2**63 - 1), np.int64),
    types.DT_UINT64: ((0, 2**64 - 1), np.uint64),
}
_FLOATS: dict[int, type] = {types.DT_FLOAT: np.float32, types.DT_DOUBLE: np.float64}
_JSON_TYPES = {
    type(None): "Null",
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
}


def signature_name(document: Mapping[str, Any], default: str = DEFAULT) -> str:
    """Which signature the request asks for; an empty name is the default one."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name or default


def tensors(document: Mapping[str, Any], inputs: Mapping[str, int]) -> tuple[str, dict[str, np.ndarray]]:
    """The request's form (ROW or COLUMN) and an array an input; strings are object arrays of bytes.

    `inputs`: name -> `types_pb2.DataType` of the signature. Raises ApiError.
    """
    if ROW in document and COLUMN in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of "
            f"'{COLUMN}' or '{ROW}' keys to exist "
        )
    if ROW in document:
        rows = document[ROW]
        if not isinstance(rows, list):
            raise invalid(f"JSON Value: {shown(document)} Expecting '{ROW}' to be an list/array")
        if not rows:
            raise invalid(f"JSON Value: {shown(document)} No values in '{ROW}' array")
        return ROW, _from_rows(rows, inputs)
    if COLUMN in document:
        return COLUMN, _from_columns(document[COLUMN], inputs)
    raise invalid(f"Missing '{COLUMN}' or '{ROW}' key")


def _from_columns(value: Any, inputs: Mapping[str, int]) -> dict[str, np.ndarray]:
    if isinstance(value, dict) and not is_base64(value):
        for name in inputs:
            if name not in value:
                raise invalid(f"Missing named input: {name} in '{COLUMN}' object.")
        return {name: _tensor(value[name], dtype) for name, dtype in inputs.items()}
    if len(inputs) > 1:
        raise invalid(
            f"{COLUMN} is a plain value/list, but expecting an object as multiple "
            "input tensors required as per tensorinfo_map"
        )
    return {name: _tensor(value, dtype) for name, dtype in inputs.items()}


def _from_rows(rows: list, inputs: Mapping[str, int]) -> dict[str, np.ndarray]:
    if len(inputs) > 1 and not isinstance(rows[0], dict):
        raise invalid(
            f"{ROW} is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    if _is_named(rows[0]):
        for number, row in enumerate(rows):
            if not _is_named(row):
                raise invalid(f"Expecting object but got list at item {number} of input list")
            _check_keys(number, row, inputs)
        columns = {name: [row[name] for row in rows] for name in inputs}
        label = "{number} key: {name}"
    else:
        for number, row in enumerate(rows):
            if _is_named(row):
                raise invalid(f"Expecting value/list but got object at item {number} of input list")
        if len(inputs) > 1:  # only bytes come this far
            raise _size_error(min(inputs), inputs)
        columns = dict.fromkeys(inputs, rows)
        label = "{number}"
    return {name: _batch(column, inputs[name], name, label) for name, column in columns.items()}


def _size_error(given: str, inputs: Mapping[str, int]) -> ApiError:
    names, missing = ",".join(sorted(inputs)), ",".join(sorted(inputs.keys() - {given}))
    return invalid(
        f"input size does not match signature: 1!={len(inputs)} len({{{given}}}) != len({{{names}}}). "
        f"Sent extra: {{}}. Missing but required: {{{missing}}}."
    )


def _check_keys(number: int, row: dict, inputs: Mapping[str, int]) -> None:
    if row.keys() == inputs.keys():
        return
    for key in row:
        if key not in inputs:
            raise invalid(
                f"Failed to process element: {number} key: {key} of '{ROW}' list. Error: "
                f"INVALID_ARGUMENT: JSON object: does not have named input: {key}"
            )
    raise invalid(
        f"Failed to process element: {number} of '{ROW}' list. JSON object: {shown(row)} "
        f"keys must be equal to: {','.join(sorted(inputs))}"
    )


def _batch(column: list, dtype: int, name: str, label: str) -> np.ndarray:
    """All rows' values of one input, the batch dimension in front.

    Rows of equal shape are one dense tensor, so it is read as such; only if that fails is it read row
    by row, to name the row at fault.
    """
    try:
        return _tensor(column, dtype)
    except ApiError:
        first = None
        for number, value in enumerate(column):
            first = _checked_row(value, dtype, first, label.format(number=number, name=name))
        raise


def _checked_row(value: Any, dtype: int, first: np.ndarray | None, label: str) -> np.ndarray:
    """The first row's tensor; ApiError if this row is none, or one of another shape."""
    try:
        row = _tensor(value, dtype)
        if first is None:
            return row
        if row.size != first.size:
            raise invalid(f"Expecting tensor size: {first.size} but got: {row.size}")
        if row.shape != first.shape:
            raise invalid(f"Expecting shape {_shape(first)} but got: {_shape(row)}")
        return first
    except ApiError as error:
        reason = f"{error.code.name}: {error}"
        raise invalid(f"Failed to process element: {label} of '{ROW}' list. Error: {reason}") from None


def _tensor(value: Any, dtype: int) -> np.ndarray:
    """One dense tensor; its shape is that of the first element at each level."""
    shape: list[int] = []
    probe = value
    while isinstance(probe, list):
        shape.append(len(probe))
        probe = probe[0] if probe else None
    if len(shape) > MAX_RANK:
        raise invalid(f"Encountered list at unexpected level: {MAX_RANK} expected < {MAX_RANK}")
    flat = [value]
    for level, size in enumerate(shape):
        for element in flat:
            if not isinstance(element, list):
                raise invalid(
                    f"JSON Value: {shown(element)} found at incorrect level: {level + 1} in the JSON DOM. "
                    f"Expected at level: {len(shape)}"
                )
            if len(element) != size:
                raise invalid(
                    f"Encountered list at unexpected size: {len(element)} at level: {level} "
                    f"expected size: {size}"
                )
        flat = flat[0] if level == 0 else list(chain.from_iterable(flat))
    if list in set(map(type, flat)):
        raise invalid(f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}")
    return _values(flat, dtype).reshape(shape)


def _values(flat: list, dtype: int) -> np.ndarray:
    """Checked JSON values as a flat array of `dtype`."""
    kinds = set(map(type, flat))
    if dtype == types.DT_STRING:
        array = np.empty(len(flat), dtype=object)
        array[:] = [as_bytes(value) for value in flat]
        return array
    if dtype in _FLOATS:
        if not kinds <= {int, float}:
            raise _type_error(flat, dtype, lambda value: type(value) in (int, float))
        with np.errstate(over="ignore"):  # beyond float32 is infinity
            return np.array(flat, dtype=_FLOATS[dtype])
    if dtype in _INTEGERS:
        (low, high), stored = _INTEGERS[dtype]
        if flat and not (kinds == {int} and low <= min(flat) and max(flat) <= high):
            raise _type_error(flat, dtype, lambda value: type(value) is int and low <= value <= high)
        wide = np.int64 if high <= 2**63 - 1 else np.uint64
        return np.array(flat, dtype=wide).astype(stored, copy=False)
    if dtype == types.DT_BOOL:
        if not kinds <= {bool}:
            raise _type_error(flat, dtype, lambda value: type(value) is bool)
        return np.array(flat, dtype=np.bool_)
    example = f"JSON Value: {shown(flat[0])} to type" if flat else "an empty list to type"
    raise ApiError(Code.UNIMPLEMENTED, f"Conversion of {example}: {type_name(dtype)}")


def _type_error(flat: list, dtype: int, fits: Callable[[Any], bool]) -> ApiError:
    value = next(value for value in flat if not fits(value))
    return invalid(
        f"JSON Value: {shown(value)} Type: {json_type(value)} is not of expected type: {type_name(dtype)}"
    )


def json_type(value: Any) -> str:
    """What TF Serving calls the type of a JSON value."""
    return str(value) if isinstance(value, bool) else _JSON_TYPES.get(type(value), "Number")


def as_bytes(value: Any) -> bytes:
    """A string's UTF-8, or the bytes of `{"b64": …}`; ApiError for anything else."""
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise invalid("JSON Parse error: The surrogate pair in string is invalid. at offset: 0") from None
    if not isinstance(value, dict):
        raise _type_error([value], types.DT_STRING, lambda _: False)
    if not is_base64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    digits = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def is_base64(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _is_named(value: Any) -> bool:
    """An object of named inputs, as opposed to bytes in base64."""
    return isinstance(value, dict) and not is_base64(value)


def _shape(array: np.ndarray) -> str:
    return f"[{','.join(map(str, array.shape))}]"
