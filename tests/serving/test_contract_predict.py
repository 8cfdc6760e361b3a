"""Predict over REST: row and column form, values in and out."""

from __future__ import annotations

import base64
import json
import math

import pytest

from tests.serving.conftest import ModelClient

pytestmark = pytest.mark.contract


def predict(client: ModelClient, signature: str | None = None, **body: object) -> object:
    if signature:
        body["signature_name"] = signature
    answer = client.post(":predict", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_row_form_with_one_input(client):
    assert predict(client, instances=[[1, 2], [3, 4.5]]) == {"predictions": [[2.0, 4.0], [6.0, 9.0]]}


def test_row_form_with_one_named_input(client):
    assert predict(client, instances=[{"x": [1, 2]}]) == {"predictions": [[2.0, 4.0]]}


def test_row_form_with_several_inputs_and_outputs(client):
    answer = predict(client, "two", instances=[{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    assert answer == {"predictions": [{"sum": 3.0, "product": 2.0}, {"sum": 7.0, "product": 12.0}]}


def test_column_form_with_one_input(client):
    assert predict(client, inputs=[[1, 2]]) == {"outputs": [[2.0, 4.0]]}
    assert predict(client, inputs={"x": [[1, 2]]}) == {"outputs": [[2.0, 4.0]]}


def test_column_form_with_several_inputs_ignores_others(client):
    answer = predict(client, "two", inputs={"a": [1, 3], "b": [2, 4], "c": "?"}, unknown=[1])
    assert answer == {"outputs": {"sum": [3.0, 7.0], "product": [2.0, 12.0]}}


def test_scalars_in_column_form(client):
    assert predict(client, "scalar", inputs=1.5) == {"outputs": 2.5}
    assert predict(client, "scalar", inputs={"v": 1.5}) == {"outputs": 2.5}


@pytest.mark.parametrize("value", [1.5, [], [1.0], [[1.0, 2.0]], [[[]]], [[], []]])
def test_shapes_are_free_in_column_form(client, value):
    assert predict(client, "any_shape", inputs=value)["outputs"]["x"] == value


def test_empty_signature_name_is_the_default(client):
    assert predict(client, inputs=[[1, 2]], signature_name="") == {"outputs": [[2.0, 4.0]]}


def test_integers_and_booleans_keep_their_type(client):
    row = {"i32": -(2**31), "i64": 2**63 - 1, "u8": 255, "flag": True}
    answer = predict(client, "types", instances=[row])
    assert answer == {"predictions": [{**row, "flag": False}]}


def test_narrow_integers_wrap(client):
    answer = predict(client, "types", inputs={"i32": [0], "i64": [0], "u8": [-1], "flag": [False]})
    assert answer["outputs"]["u8"] == [255]


def test_strings_are_unicode(client):
    assert predict(client, "upper", instances=["héllo", ""]) == {"predictions": ["HéLLO", ""]}


def test_bytes_in_and_out(client):
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    row = predict(client, "binary", instances=[{"b64": text}])["predictions"][0]
    assert row == {"data_bytes": {"b64": text}, "length": 256}
    answer = predict(client, "binary", inputs={"data": [{"b64": text.rstrip("=")}, "plain"]})
    assert answer["outputs"]["length"] == [256, 5]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"inputs": "abc"}', {"outputs": "ABC"}),
        ('{"inputs": {"b64": "aGVsbG8="}}', {"outputs": "HELLO"}),
        ('{"inputs": {"text": {"b64": "aGVsbG8="}}}', {"outputs": "HELLO"}),
        ('{"inputs": [["a", "b"], ["c", "d"]]}', {"outputs": [["A", "B"], ["C", "D"]]}),
        ('{"inputs": [{"b64": "aGVs bG8"}]}', {"outputs": ["HELLO"]}),
        ('{"inputs": [{"b64": ""}]}', {"outputs": [""]}),
        ('{"instances": [{"b64": "aGVsbG8="}, "world"]}', {"predictions": ["HELLO", "WORLD"]}),
        ('{"instances": [[{"b64": "aGVsbG8="}], ["world"]]}', {"predictions": [["HELLO"], ["WORLD"]]}),
        ('{"instances": [{"text": [[{"b64": "aA=="}], ["w"]]}]}', {"predictions": [[["H"], ["W"]]]}),
        ('{"inputs": ["\\u0000a", "\\ud83d\\ude00"]}', {"outputs": ["\u0000A", "\U0001f600"]}),
    ],
)
def test_texts_and_bytes_in_every_form(client, body, answer):
    got = client.post(":predict", content=f'{body[:-1]}, "signature_name": "upper"}}')
    assert (got.status_code, got.json()) == (200, answer)


def test_integers_and_decimals_mix_in_a_float(client):
    values = [1, 2.0, 3, 4, 5.003, 0.007, 0.0]
    got = predict(client, "any_shape", instances=values)["predictions"]
    assert [row["x"] for row in got] == [1.0, 2.0, 3.0, 4.0, 5.003, 0.007, 0.0]


def test_large_integers_are_exact_in_int64_and_rounded_in_float(client):
    row = {"i32": -1, "i64": 2**53 + 1, "u8": 0, "flag": False}
    assert predict(client, "types", inputs={name: [value] for name, value in row.items()})["outputs"][
        "i64"
    ] == [2**53 + 1]
    assert predict(client, "any_shape", instances=[2**24 + 1])["predictions"][0]["x"] == 2.0**24


def test_a_list_without_values_is_a_row(client):
    assert predict(client, instances=[[]]) == {"predictions": [[]]}


def test_outputs_without_a_batch_are_told_in_column_form(client):
    assert predict(client, "nothing", inputs=["a"]) == {"outputs": []}
    assert predict(client, "number", inputs=["a", "b"]) == {"outputs": 2}


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("NaN", math.nan),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("Inf", math.inf),
        ("-Inf", -math.inf),
    ],
)
def test_numbers_that_json_does_not_know(client, token, expected):
    answer = client.post(":predict", content=f'{{"inputs": [[{token}, 1]]}}')
    assert answer.status_code == 200
    value = json.loads(answer.text)["outputs"][0][0]
    assert value == expected or (math.isnan(value) and math.isnan(expected))


def test_beyond_float32_is_infinity(client):
    assert "Infinity" in client.post(":predict", content='{"inputs": [[1e300, -1e39]]}').text


def test_float32_is_written_at_its_own_precision(client):
    assert "0.2," in client.post(":predict", content='{"inputs": [[0.1, 1]]}').text.replace("\n", "")
    assert "0.2," in client.post(":predict", content='{"inputs": [[0.1, NaN]]}').text.replace("\n", "")


def test_parser_takes_what_rapidjson_takes(client):
    def outputs(body: bytes) -> object:
        answer = client.post(":predict", content=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["outputs"]

    assert outputs(b'\xef\xbb\xbf{"inputs": [[1, 2]]}') == [[2.0, 4.0]]
    assert outputs(b'{"inputs": [[1, 2]]} trailing') == [[2.0, 4.0]]
    assert outputs(b'{"inputs": [[1, 2]], "inputs": "second"}') == [[2.0, 4.0]]
    assert outputs(b'{"inputs": {"x": [[1, 2]], "x": 5}}') == [[2.0, 4.0]]
    assert outputs(b'{"inputs": [[123456789012345678901234567890, 0]]}')[0][0] == pytest.approx(2.46913578e29)


def test_gzip_body(client):
    import gzip

    body = gzip.compress(b'{"instances": [[1, 2]]}')
    answer = client.post(":predict", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"predictions": [[2.0, 4.0]]}


def test_by_version(client):
    answer = client.post("/versions/1:predict", json={"instances": [[1, 2]]})
    assert answer.json() == {"predictions": [[2.0, 4.0]]}


def test_classify(client):
    body = {"signature_name": "classes", "examples": [{"x": 0.25}, {"x": [1.0]}]}
    answer = client.post(":classify", json=body)
    assert answer.json() == {"results": [[["low", 0.75], ["high", 0.25]], [["low", 0.0], ["high", 1.0]]]}


def test_regress_with_context(client):
    body = {"signature_name": "value", "examples": [{}, {}], "context": {"x": 0.5}}
    assert client.post(":regress", json=body).json() == {"results": [5.0, 5.0]}
