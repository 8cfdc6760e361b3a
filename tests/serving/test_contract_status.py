"""Status and metadata over REST."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.contract


def test_status_lists_versions(client):
    expected = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("", "/versions/1", "/labels/any", "/METADATA"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"model_version_status": [expected]}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/unknown", 404, "Could not find any versions of model unknown"),
        ("/v1/models/contract/versions/7", 404, "Could not find version 7 of model contract"),
        ("/v1/models/contract/", 400, "Malformed request: GET /v1/models/contract/"),
        ("/v1/models/contract:predict", 400, "Malformed request: GET"),
        ("/v1/models/unknown/metadata", 404, "Servable not found for request: Latest(unknown)"),
        ("/v1/models/contract/versions/7/metadata", 404, "Specific(contract, 7)"),
        ("/v1/models/", 400, "Malformed request: GET /v1/models/"),
        ("/v1/models/versions/1", 400, "Missing model name in request."),
        ("/v1/models/metadata", 404, "Could not find any versions of model metadata"),
        ("/v1/models/contract?x=1", 404, "Could not find any versions of model contract?x=1"),
        ("/v1/models/con%2Ftract", 404, "Could not find any versions of model con/tract"),
        ("/v1/models/contract/metadata/", 400, "Malformed request: GET"),
        ("/v1/models/contract/versions/", 400, "Malformed request: GET"),
        ("/v1/models/contract/versions/1/labels/a", 400, "Malformed request: GET"),
        ("/v1/models/contract/versions/0", 404, "Could not find version 0 of model contract"),
        ("/v1/models/contract/labels/a/metadata", 400, "Unrecognized servable version label: a"),
        ("/v1/models/contract/versions/18446744073709551615", 400, "Failed to convert version"),
        ("/v1/nothing", 400, "Malformed request: GET /v1/nothing"),
    ],
)
def test_errors(server_url, path, status, words):
    answer = httpx.get(server_url + path)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_metadata(client):
    answer = client.get("/metadata").json()
    assert answer["model_spec"] == {"name": "contract", "signature_name": "", "version": "1"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "two", "__saved_model_init_op"} <= signatures.keys()
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["defaults"] == {}
    x = default["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT"
    assert x["name"].startswith("serving_default_x")
    assert x["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
        "unknown_rank": False,
    }
    assert signatures["any_shape"]["inputs"]["x"]["tensor_shape"]["unknown_rank"] is True
    assert client.get("/versions/1/metadata").json() == answer
