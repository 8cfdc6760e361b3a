"""What one request may take: time and size."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.serving import contract_model, servers


@pytest.fixture(scope="module")
def url(contract_version, tmp_path_factory):
    flags = ("--rest_api_timeout_in_ms=300", "--file_system_poll_wait_seconds=0")
    aside = tmp_path_factory.mktemp("limits")
    with servers.running(contract_version.parent, contract_model.NAME, aside, *flags) as running:
        yield f"{running.url}/v1/models/{contract_model.NAME}"


def test_a_request_that_takes_too_long_is_504_and_others_go_on(url):
    body = {"signature_name": "version", "instances": [200_000]}
    answer = httpx.post(f"{url}:predict", json=body)
    assert answer.status_code == 504
    assert "Timed out" in answer.json()["error"]
    assert httpx.get(url).status_code == 200

    def answered() -> bool:
        other = httpx.post(f"{url}:predict", json={"instances": [[1, 2]]})
        return other.json() == {"predictions": [[2.0, 4.0]]}

    # Nothing stops a run of TensorFlow: where there is one core, others wait for its end.
    servers.wait_for(answered, 30.0)


def test_a_body_is_bounded_before_and_after_unpacking(url):
    large = b" " * (65 * 2**20)
    packed = httpx.post(f"{url}:predict", content=gzip.compress(large), headers={"Content-Encoding": "gzip"})
    for answer in (packed, httpx.post(f"{url}:predict", content=large)):
        assert answer.status_code == 400
        assert "larger than" in answer.json()["error"]


def test_a_body_that_is_no_gzip(url):
    answer = httpx.post(f"{url}:predict", content=b"{}", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "gzip" in answer.json()["error"]
