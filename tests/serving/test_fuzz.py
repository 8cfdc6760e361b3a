"""Nothing that a client sends ends the server or gets anything but an answer of the contract."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import types_pb2 as types

from serving.answers import encode
from serving.codec import COLUMN, ROW, tensors
from serving.errors import ApiError, Code
from serving.methods import METHODS
from serving.parse import _lenient, parse

pytestmark = pytest.mark.slow

THOROUGH = settings(max_examples=1000, deadline=None)

numbers = st.integers(-(2**70), 2**70) | st.floats() | st.integers(-300, 300)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=5)
encoded = st.fixed_dictionaries({"b64": scalars})
values = st.recursive(
    scalars | encoded,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
    max_leaves=12,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "instances": values,
        "inputs": values,
        "examples": values,
        "context": values,
        "signature_name": st.sampled_from(
            ["", "two", "upper", "types", "binary", "any_shape", "half", "value"]
        )
        | scalars,
    },
)
dtypes = st.sampled_from(
    [
        *(types.DT_FLOAT, types.DT_DOUBLE, types.DT_INT8, types.DT_INT32, types.DT_UINT32, types.DT_INT64),
        *(types.DT_UINT64, types.DT_BOOL, types.DT_STRING, types.DT_HALF, types.DT_COMPLEX64),
    ]
)


def outcome(work: Callable[[], Any]) -> tuple[Any, Code | None]:
    """What the work gives, or None and the code of the error that it answers with."""
    try:
        return work(), None
    except ApiError as error:
        return None, error.code


@THOROUGH
@given(document=documents, inputs=st.dictionaries(st.sampled_from("abx"), dtypes, min_size=1, max_size=3))
def test_any_document_is_tensors_or_an_error_of_the_contract(document, inputs):
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    read, code = outcome(lambda: tensors(parse(body), inputs))
    assert code in (None, Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED)
    if read is None:
        return
    form, arrays = read
    assert form in (ROW, COLUMN)
    assert arrays.keys() == inputs.keys()
    if form == ROW:
        assert {len(array) for array in arrays.values()} == {len(document["instances"])}


@THOROUGH
@given(
    body=st.binary(max_size=60)
    | st.text('{}[]",:0123456789.eE+-\\untrfalsNaIiy \x00é', max_size=40).map(str.encode)
)
def test_any_bytes_are_an_object_or_a_parse_error(body):
    document, code = outcome(lambda: parse(body))
    assert isinstance(document, dict) or code is Code.INVALID_ARGUMENT


@THOROUGH
@given(document=documents)
def test_both_parsers_read_the_same(document):
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    expected, _ = outcome(lambda: _lenient(body))
    if expected is not None:
        assert repr(parse(body)) == repr(expected)


@THOROUGH
@given(
    values=st.lists(st.floats(width=32), min_size=1, max_size=6),
    texts=st.lists(st.binary(max_size=4), min_size=1, max_size=6),
)
def test_answers_carry_the_values(values, texts):
    floats, strings = np.array(values, np.float32), np.empty(len(texts), object)
    strings[:] = texts
    content = encode({"f": floats, "s": strings, "s_bytes": strings}, COLUMN)
    answer = json.loads(content.decode("utf-8", "surrogateescape"))["outputs"]
    assert all(
        a == b or (math.isnan(a) and math.isnan(b))
        for a, b in zip(np.float32(answer["f"]), floats, strict=True)
    )
    assert [text.encode("utf-8", "surrogateescape") for text in answer["s"]] == texts
    assert len(answer["s_bytes"]) == len(texts)


@pytest.mark.contract
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents, method=st.sampled_from(sorted(METHODS)))
def test_the_server_answers_whatever_it_is_asked(client, document, method):
    answer = client.post(f":{method}", content=json.dumps(document).encode("utf-8", "surrogatepass"))
    assert answer.status_code in (200, 400, 501)
    if answer.status_code != httpx.codes.OK:
        text = answer.json()["error"]
        assert text
        assert 'File "' not in text
        assert "Traceback" not in text
