"""The page at /docs needs nothing from elsewhere, and tells what can happen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.gateway import page
from serving.gateway.app import create
from serving.gateway.event import Event
from serving.gateway.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create(Settings(home=tmp_path, model_url="http://127.0.0.1:9"))) as client:
        yield client


def test_scripts_and_styles_come_from_the_gateway(client):
    html = client.get("/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert any(asset.endswith(".js") for asset in assets)
    assert any(asset.endswith(".css") for asset in assets)
    for asset in assets:
        assert asset.startswith("/")
        assert client.get(asset).status_code == 200
    assert "://" not in html


def test_every_error_is_told(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path, verb in (("/events", "post"), ("/recommendations/{user_id}", "get")):
        assert {"200", "401", "413", "422", "429", "503"} == paths[path][verb]["responses"].keys()


def test_the_examples_are_events(client):
    for example in page.EVENTS.values():
        events = example["value"] if isinstance(example["value"], list) else [example["value"]]
        assert [Event.model_validate(event) for event in events]
    assert client.post("/events", json=page.EVENTS["batch"]["value"]).json()["accepted"] == 2
