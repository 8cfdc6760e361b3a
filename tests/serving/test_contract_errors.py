"""What a client does wrong, and the words and codes it reads."""

from __future__ import annotations

import json

import httpx
import pytest

pytestmark = pytest.mark.contract


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert list(content) == ["error"]
    return answer.status_code, content["error"]


BODIES = [
    ("", "JSON Parse error: The document is empty"),
    ("{", "JSON Parse error: Missing a name for object member. at offset: 1"),
    ('{"inputs": [1 2]}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 14"),
    ('{"inputs": 1 "a"}', "Missing a comma or } after an object member. at offset: 13"),
    ('{"inputs" 1}', "Missing a colon after a name of object member. at offset: 10"),
    ('{"inputs": [1, nope]}', "JSON Parse error: Invalid value. at offset: 16"),
    ('{"inputs": [tru]}', "JSON Parse error: Invalid value. at offset: 15"),
    ('{"inputs": [-]}', "JSON Parse error: Invalid value. at offset: 13"),
    ('{"inputs": [1.]}', "JSON Parse error: Miss fraction part in number. at offset: 14"),
    ('{"inputs": [1e+]}', "JSON Parse error: Miss exponent in number. at offset: 15"),
    ('{"inputs": [01]}', "Missing a comma or ] after an array element. at offset: 13"),
    ('{"inputs": [.5]}', "JSON Parse error: Invalid value. at offset: 12"),
    ('{"inputs": [1, 2,]}', "JSON Parse error: Invalid value. at offset: 17"),
    ('{"inputs": [1],}', "Missing a name for object member. at offset: 15"),
    ('{"inputs": "a', "Missing a closing quotation mark in string. at offset: 13"),
    ("{'inputs': [1]}", "Missing a name for object member. at offset: 1"),
    ("inputs = [1, 2]", "JSON Parse error: Invalid value. at offset: 0"),
    ('/**/{"inputs": 1}', "JSON Parse error: Invalid value. at offset: 0"),
    ("  ", "JSON Parse error: The document is empty. at offset: 2"),
    ('{"inputs": [1e999, 1]}', "Number too big to be stored in double."),
    ('{"inputs": "\\q"}', "Invalid escape character in string."),
    ('{"inputs": ' + "[" * 100_000, "JSON Parse error"),
    ('{"inputs": ' + "[" * 900 + "]" * 900 + "}", "list at unexpected level"),
    ('{"inputs": ' + "[" * 900 + "]" * 900 + ', "instances": 1}', "expecting only one of"),
    (b'{"inputs": "\xff\xed\xa0\x80"}', "is not of expected type: float"),
    ('{"inputs": "\\ud800", "signature_name": "upper"}', "The surrogate pair in string is invalid."),
    ('{"inputs": 1, "signature_name": "\\ud800"}', "not found in signature def"),
    ("[1]", "JSON Value: [\n    1\n] Is not object"),
    ("null", "JSON Value: null Is not object"),
    ('{"Inputs": 1}', "Missing 'inputs' or 'instances' key"),
    ('{"inputs": null}', "JSON Value: null Type: Null is not of expected type: float"),
    ('{"inputs": {}}', "Missing named input: x in 'inputs' object."),
    ('{"inputs": 1, "signature_name": null}', "'signature_name' key must be a string value"),
    ("{}", "Missing 'inputs' or 'instances' key"),
    ('{"inputs": [[1, 2]], "instances": [[1, 2]]}', "Not formatted correctly expecting only one of"),
    ('{"inputs": 1, "signature_name": 5}', "'signature_name' key must be a string value"),
    ('{"inputs": 1, "signature_name": "no"}', 'Serving signature name: "no" not found in signature def'),
    ('{"instances": 1}', "'instances' to be an list/array"),
    ('{"instances": null}', "'instances' to be an list/array"),
    ('{"instances": {}}', "'instances' to be an list/array"),
    ('{"instances": []}', "No values in 'instances' array"),
    ('{"instances": [{}]}', "JSON object: {} keys must be equal to: x"),
    ('{"instances": [[1, 2], null]}', "Failed to process element: 1 of 'instances' list."),
    ('{"instances": [[1, 2], [3, 4], [[5, 6]]]}', "Expecting shape [2] but got: [1,2]"),
    ('{"instances": [1, [1]]}', "Expecting shape [] but got: [1]"),
    ('{"instances": [[1, 2], ["a", "b"]]}', 'JSON Value: "a" Type: String is not of expected type: float'),
    ('{"instances": [{"x": [1, 2]}, [1, 2]]}', "Expecting object but got list at item 1"),
    ('{"instances": [[1, 2], {"x": [1, 2]}]}', "Expecting value/list but got object at item 1"),
    ('{"instances": [{"z": 1}]}', "JSON object: does not have named input: z"),
    ('{"instances": [[1, 2], [1]]}', "Expecting tensor size: 2 but got: 1"),
    ('{"instances": [[[1, 2]], [[1], [2]]]}', "Expecting shape [1,2] but got: [2,1]"),
    ('{"instances": [[1, "2"]]}', 'JSON Value: "2" Type: String is not of expected type: float'),
    ('{"instances": [[1, "NaN"]]}', "is not of expected type: float"),
    ('{"instances": [[1, true]]}', "JSON Value: true Type: True is not of expected type: float"),
    ('{"instances": [[1, null]]}', "JSON Value: null Type: Null is not of expected type: float"),
    ('{"instances": [[1, {"a": 1}]]}', "Type: Object is not of expected type: float"),
    ('{"inputs": [[1, 2], [3]]}', "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
    ('{"inputs": [[1, 2], 3]}', "found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
    ('{"inputs": [1, [2]]}', "Encountered list at unexpected level: 1 expected < 1"),
    ('{"inputs": {"z": 1}}', "Missing named input: x in 'inputs' object."),
    ('{"instances": [{"a": 1, "b": 2, "c": 3}], "signature_name": "two"}', "does not have named input: c"),
    ('{"instances": [{"a": 1}], "signature_name": "two"}', "keys must be equal to: a,b"),
    (
        '{"instances": [1], "signature_name": "two"}',
        "instances is a plain list, but expecting list of objects",
    ),
    (
        '{"instances": [{"b64": "YQ=="}], "signature_name": "two"}',
        "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but",
    ),
    ('{"inputs": {"b64": "YQ=="}, "signature_name": "two"}', "inputs is a plain value/list, but expecting"),
    ('{"inputs": [1], "signature_name": "two"}', "inputs is a plain value/list, but expecting an object"),
    ('{"inputs": {"a": 1}, "signature_name": "two"}', "Missing named input: b in 'inputs' object."),
    ('{"inputs": [{"b64": "?"}], "signature_name": "upper"}', "Unable to base64 decode"),
    ('{"inputs": [{"b64": "a"}], "signature_name": "upper"}', "Unable to base64 decode"),
    ('{"inputs": [{"b64": "_-8="}], "signature_name": "upper"}', "Unable to base64 decode"),
    (
        '{"inputs": [{"b64": "YQ==", "x": 1}], "signature_name": "upper"}',
        "not formatted correctly for base64",
    ),
    ('{"inputs": {"b64": "YQ==", "x": 1}, "signature_name": "upper"}', "Missing named input: text"),
    ('{"inputs": [{"b64": 1}], "signature_name": "upper"}', "not formatted correctly for base64 data"),
    ('{"inputs": [5], "signature_name": "upper"}', "Type: Number is not of expected type: string"),
    ('{"instances": [1, 2], "signature_name": "uneven"}', "inconsistent batch size"),
    ('{"instances": [], "signature_name": "scalar"}', "No values in 'instances' array"),
    ('{"inputs": 1, "signature_name": "__saved_model_init_op"}', "Failed to get input map for signature"),
    ('{"instances": [1], "signature_name": "half"}', "to type: half"),
]


@pytest.mark.parametrize(("body", "words"), BODIES)
def test_bad_request(client, body, words):
    status, text = error(client.post(":predict", content=body))
    assert status == 400, text
    assert words in text
    assert "Traceback" not in text
    assert 'File "' not in text


@pytest.mark.parametrize("number", ["1.5", "1.0", "1e3", "2147483648", "true", '"1"', "null", "NaN"])
def test_integers_must_be_integers_in_range(client, number):
    inputs = f'{{"i32": [{number}], "i64": [0], "u8": [0], "flag": [true]}}'
    body = f'{{"signature_name": "types", "inputs": {inputs}}}'
    status, text = error(client.post(":predict", content=body))
    assert status == 400
    assert "is not of expected type: int32" in text


def test_int64_ends_where_it_ends(client):
    inputs = '{"i32": [0], "i64": [9223372036854775808], "u8": [0], "flag": [true]}'
    status, text = error(
        client.post(":predict", content=f'{{"signature_name": "types", "inputs": {inputs}}}')
    )
    assert status == 400
    assert "JSON Value: 9223372036854775808 Type: Number is not of expected type: int64" in text


def test_a_number_is_no_truth_value(client):
    inputs = {"i32": [0], "i64": [0], "u8": [0], "flag": [1]}
    status, text = error(client.post(":predict", json={"signature_name": "types", "inputs": inputs}))
    assert status == 400
    assert "JSON Value: 1 Type: Number is not of expected type: bool" in text


def test_unsupported_type_in_column_form(client):
    status, text = error(client.post(":predict", json={"signature_name": "half", "inputs": [1]}))
    assert status == 501
    assert "half" in text


def test_what_the_graph_cannot_take(client):
    status, text = error(
        client.post(":predict", json={"signature_name": "two", "inputs": {"a": [1, 2], "b": [1, 2, 3]}})
    )
    assert status == 400
    assert "ncompatible shapes" in text
    assert 'File "' not in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/models/unknown:predict", 404, "Servable not found for request: Latest(unknown)"),
        (
            "/v1/models/contract/versions/99:predict",
            404,
            "Servable not found for request: Specific(contract, 99)",
        ),
        ("/v1/models/contract/labels/no:predict", 400, "Unrecognized servable version label: no"),
        ("/v1/models/unknown/labels/no:predict", 400, "Unrecognized servable version label: no"),
        ("/v1/models/contract/versions/99999999999999999999:predict", 400, "Failed to convert version"),
        ("/v1/models/contract:PREDICT", 400, "Malformed request: POST /v1/models/contract:PREDICT"),
        ("/v1/models/contract:explain", 400, "Malformed request: POST"),
        ("/v1/models/contract:predict?x=1", 400, "Malformed request: POST"),
        ("/v1/models/contract", 400, "Malformed request: POST"),
        ("/v1/models/contract/versions/one:predict", 400, "Malformed request: POST"),
        ("/v1/models/contract/version/1:predict", 400, "Malformed request: POST"),
        ("/v1/models/contract/versions/1/labels/a:predict", 400, "Malformed request: POST"),
        ("/v1/models/contract/versions/18446744073709551615:regress", 400, "Failed to convert version"),
        ("/v1/models/contract/metadata", 400, "Malformed request: POST"),
        ("/v1/models/contract/predict", 400, "Malformed request: POST"),
        ("/v1/models/contract/:predict", 400, "Malformed request: POST"),
        ("/v1/models/contract:predict/", 400, "Malformed request: POST"),
        ("/v1/models/contract%3Apredict", 400, "Malformed request: POST"),
        ("/v1/models:predict", 400, "Malformed request: POST"),
        ("/v1/models/Contract:predict", 404, "Servable not found for request: Latest(Contract)"),
        ("/v1/models/contract99:predict", 404, "Servable not found for request: Latest(contract99)"),
    ],
)
def test_paths(server_url, path, status, words):
    got, text = error(httpx.post(server_url + path, json={"instances": [[1, 2]]}))
    assert (got, words in text) == (status, True), text


def test_fixed_parts_are_case_insensitive_and_names_percent_decoded(server_url):
    answer = httpx.post(f"{server_url}/V1/MODELS/%63ontract/VERSIONS/1:predict", json={"instances": [[1, 2]]})
    assert answer.json() == {"predictions": [[2.0, 4.0]]}


def test_broken_json_is_told_before_an_unknown_model(server_url):
    assert error(httpx.post(f"{server_url}/v1/models/unknown:predict", content="{"))[0] == 400


def test_other_verbs_are_malformed(server_url):
    for verb in ("PUT", "DELETE", "PATCH"):
        status, text = error(httpx.request(verb, f"{server_url}/v1/models/contract:predict"))
        assert (status, text) == (400, f"Malformed request: {verb} /v1/models/contract:predict")


def test_outside_v1_is_a_page(server_url):
    answer = httpx.get(f"{server_url}/other")
    assert answer.status_code == 404
    assert "html" in answer.headers["content-type"]


def test_options(server_url):
    url = f"{server_url}/v1/models/contract:predict"
    assert httpx.options(url, headers={"Origin": "https://shop.example"}).status_code == 200
    refused = httpx.options(url)
    assert (refused.status_code, refused.content) == (400, b"")


@pytest.mark.parametrize(
    ("method", "body", "status", "words"),
    [
        ("classify", {}, 400, "key 'examples' is expected"),
        ("classify", {"examples": {}}, 400, "value to be an list/array"),
        ("classify", {"examples": []}, 400, "is an empty array"),
        ("classify", {"examples": [1]}, 400, "Example must be JSON object but got JSON Number"),
        ("classify", {"examples": [{"x": [1, "a"]}]}, 400, "Unexpected element type in feature: x"),
        ("classify", {"examples": None}, 400, "value to be an list/array"),
        ("classify", {"examples": [{"x": {"a": 1}}]}, 400, "has element with unexpected JSON type: Object"),
        ("classify", {"examples": [{"x": [[1.0]]}]}, 400, "has element with unexpected JSON type: Array"),
        ("regress", {"examples": [{"x": 2**63}]}, 400, "has uint64 element. Only int64 is supported."),
        ("regress", {"examples": [{}], "context": 5}, 400, "Example must be JSON object but got JSON Number"),
        ("regress", {"examples": [{}], "signature_name": 5}, 400, "key must be a string value"),
        (
            "regress",
            {"examples": [{"x": True}], "signature_name": "value"},
            400,
            "Data types don't match. Data type: int64 but expected type: float",
        ),
        ("classify", {"examples": [{"x": None}]}, 400, "has element with unexpected JSON type: Null"),
        (
            "classify",
            {"examples": [{"x": 1}], "signature_name": "no"},
            400,
            "No signature was found with the name: no",
        ),
        ("classify", {"examples": [{"x": 1.0}], "signature_name": "two"}, 400, "Expected one input Tensor."),
        ("classify", {"examples": [{"x": 1.0}]}, 400, "No classification inputs found in SignatureDef"),
        ("classify", {"examples": [{"x": 1.0}], "signature_name": "value"}, 400, "contain at least one of"),
        (
            "regress",
            {"examples": [{"x": 1.0}], "signature_name": "classes"},
            400,
            "Expected one output Tensor.",
        ),
        ("regress", {"examples": [{"x": 1.0}]}, 400, "No regression inputs found in SignatureDef"),
    ],
)
def test_classify_and_regress(client, method, body, status, words):
    got, text = error(client.post(f":{method}", content=json.dumps(body)))
    assert (got, words in text) == (status, True), text
