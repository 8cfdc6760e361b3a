"""The client against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from schemas.home import MODEL_NAME
from serving import client
from tests.serving import recommender, servers


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("recommender")
    recommender.write(folder / "base" / "1")
    with servers.running(folder / "base", MODEL_NAME, folder / "server") as running:
        yield running.url


def test_recommend(url):
    assert client.recommend(url, "ann") == [("milk", 2.0), ("bread", 0.5)]
    assert [item for item, _ in client.recommend(url, "")] == ["bread", "milk"]


def test_recommend_recent(url):
    (first, score), _ = client.recommend_recent(url, ["milk", "eggs"])
    assert (first, score) == ("milk", pytest.approx(1.2))


def test_the_command_asks_the_server_that_it_is_told(url, tmp_path, monkeypatch):
    monkeypatch.setenv("EVERLEARN_HOME", str(tmp_path))
    told = CliRunner().invoke(app, ["recommend", "ann", "--url", url])
    assert told.exit_code == 0
    assert "milk" in told.stdout
    assert "2.000" in told.stdout


def test_status(url):
    assert [(one["version"], one["state"]) for one in client.status(url)] == [("1", "AVAILABLE")]


def test_nobody_there():
    with pytest.raises(client.ServingError, match="everlearn serve"):
        client.recommend("http://127.0.0.1:9", "ann")


def test_the_servers_reason_is_told(url):
    with pytest.raises(client.ServingError, match=r"answered 400: .* user_id"):
        client._recommendations(url, "recommend_recent", {"user_id": "ann"})
