"""One contract model and one server for all contract tests.

SERVING_URL names another server instead, which must serve what `contract_model.py FOLDER` writes as the
model `contract` from the base path FOLDER/contract.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import contract_model, servers


@pytest.fixture(scope="session")
def contract_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract model's SavedModel folder, written once."""
    folder = tmp_path_factory.mktemp("saved_model") / "1"
    contract_model.write(folder)
    return folder


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a server that serves the contract model as version 1."""
    if url := os.environ.get("SERVING_URL"):
        yield url.rstrip("/")
        return
    version = request.getfixturevalue("contract_version")
    aside = tmp_path_factory.mktemp("server")
    with servers.running(version.parent, contract_model.NAME, aside) as running:
        yield running.url


class ModelClient:
    """Requests on the contract model; paths continue its URL: "", ":predict", "/versions/1"."""

    def __init__(self, http: httpx.Client, model_url: str) -> None:
        self._http = http
        self._url = model_url

    def get(self, path: str) -> httpx.Response:
        return self._http.get(self._url + path)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self._http.post(self._url + path, **request)


@pytest.fixture(scope="session")
def client(server_url: str) -> Iterator[ModelClient]:
    with httpx.Client(timeout=30) as http:
        yield ModelClient(http, f"{server_url}/v1/models/{contract_model.NAME}")
