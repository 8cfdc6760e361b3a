"""The gateway before a real model server and a real store: what it answers, and when something is gone."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.home import MODEL_NAME, Home
from schemas.signatures import RECOMMEND
from serving.gateway import served
from serving.gateway.inbox import Inbox, path_of
from tests.serving import recommender, servers
from tests.serving.gateway.conftest import REDIS, STORES, free_port

POPULAR = {
    "signature": RECOMMEND,
    "inputs": {"user_id": ["ann", ""]},
    "outputs": {"item_id": [["milk", "bread"], ["bread", "milk"]], "score": [[2.0, 0.5], [0.3, 0.2]]},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A state folder with a pushed version and item names."""
    home = Home(tmp_path_factory.mktemp("home"))
    recommender.write(home.serving / "3", [POPULAR])
    home.items.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"item_id": recommender.ITEMS, "name": ["Bread", "Milk", None]}), home.items)
    return home


@pytest.fixture(scope="module")
def model_server(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Running]:
    aside = tmp_path_factory.mktemp("server")
    with servers.running(home.serving, MODEL_NAME, aside, "--file_system_poll_wait_seconds=0.1") as running:
        yield running


@pytest.fixture
def gateway(
    home: Home, model_server: servers.Running, gateway_process: Callable, request: pytest.FixtureRequest
) -> Callable[..., httpx.Client]:
    """Starts a gateway with these settings and gives a client of it."""

    def start(store: str = "sqlite", **settings: Any) -> httpx.Client:
        port = free_port()
        settings = {"model_url": f"{model_server.url}/v1/models/{MODEL_NAME}", "port": port, **settings}
        if store == "redis":
            settings["redis_url"] = request.getfixturevalue("redis_server").url
        given = {f"EVERLEARN_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
        gateway_process({**os.environ, "EVERLEARN_HOME": str(home.root), **given})
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

        def up() -> bool:
            try:
                return client.get("/health").status_code == 200
            except httpx.TransportError:
                return False

        servers.wait_for(up, 30)
        return client

    return start


def event(number: int | str, user: str, item: str = "eggs", **more: Any) -> dict:
    return {"event_id": f"{user}-{number}", "user_id": user, "item_id": item, "behavior": "click", **more}


def listed(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["item_id"] for one in answer.json()["items"]]


@pytest.mark.parametrize("store", STORES)
def test_the_list_follows_an_event_at_once(gateway, home: Home, store: str) -> None:
    client, user = gateway(store), f"ann-{store}"
    assert listed(client.get(f"/recommendations/{user}?k=2")) == ["bread", "milk"]
    posted = client.post("/events", json=event(1, user))
    assert posted.json() == {"accepted": 1, "duplicates": 0, "live": True}
    again = client.post("/events", json=[event(1, user), event(2, user, "milk"), event(1, user)])
    assert again.json() == {"accepted": 1, "duplicates": 2, "live": True}
    answer = client.get(f"/recommendations/{user}", params={"k": 3, "exclude": ["milk", "unknown"]})
    body = answer.json()
    assert [(one["item_id"], one["name"], one["score"]) for one in body["items"]] == [
        ("eggs", None, pytest.approx(10.1)), ("bread", "Bread", pytest.approx(0.3)),
    ]  # fmt: skip
    assert (body["user_id"], body["model_version"], body["source"]) == (user, 3, "model")
    lines = [json.loads(line) for path in served.folder(home).iterdir() for line in path.open()]
    (logged,) = (line for line in lines if line["request_id"] == body["request_id"])
    assert (logged["user_id"], logged["version"], logged["items"], logged["positions"]) == (
        user, 3, ["eggs", "bread"], [1, 2],
    )  # fmt: skip


def test_what_was_acknowledged_outlives_a_kill(gateway, home: Home, gateway_process) -> None:
    client = gateway()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: client.post("/events", json=event(n, "killed")), range(40)))
    assert all(one.status_code == 200 for one in answers)
    gateway_process.started[-1].kill()
    inbox = Inbox(path_of(home))
    kept = [one.event_id for _, one in inbox.not_folded(10_000) if one.user_id == "killed"]
    inbox.close()
    assert sorted(kept) == sorted(f"killed-{n}" for n in range(40))
    assert len(kept) == len(set(kept))


@pytest.mark.skipif(not REDIS, reason="no redis-server")
def test_redis_killed_and_back(gateway, redis_server) -> None:
    client = gateway("redis", popular=True, timeout_seconds=0.5)
    strict = gateway("redis", timeout_seconds=0.5, retry_after_seconds=7)
    assert client.post("/events", json=event(1, "rita")).json()["live"]
    redis_server.kill()
    try:
        started = time.monotonic()
        assert client.post("/events", json=event(2, "rita")).json() == {
            "accepted": 1, "duplicates": 0, "live": False,
        }  # fmt: skip
        answer = client.get("/recommendations/rita?k=2&exclude=bread").json()
        assert (answer["source"], answer["model_version"]) == ("popular", 3)
        assert [one["item_id"] for one in answer["items"]] == ["milk"]
        refused = strict.get("/recommendations/rita")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
        assert time.monotonic() - started < 5
    finally:
        redis_server.start()
    answer = client.get("/recommendations/rita?k=1").json()
    assert answer["source"] == "model"
    assert answer["items"][0]["score"] == pytest.approx(20.1), "both events, though Redis came back empty"


def test_a_model_server_that_hangs_or_is_gone(gateway, model_server) -> None:
    client = gateway(timeout_seconds=0.3, retries=1)
    popular = gateway(timeout_seconds=0.3, retries=1, popular=True)
    model_server.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        answer = client.get("/recommendations/ann")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert listed(popular.get("/recommendations/ann?k=2")) == ["bread", "milk"]
        assert time.monotonic() - started < 5
    finally:
        model_server.process.send_signal(signal.SIGCONT)
    assert listed(client.get("/recommendations/ann?k=1")) == ["milk"]
    gone = gateway(model_url="http://127.0.0.1:9/v1/models/everlearn")
    assert gone.get("/recommendations/ann").status_code == 503


def test_a_switch_loses_no_request(gateway, home: Home, model_server) -> None:
    client = gateway(rate=1e6, burst=10**6)
    recommender.write(home.root / "aside", [POPULAR])
    stop = threading.Event()

    def ask(_: int) -> set:
        seen = set()
        while not stop.is_set():
            answer = client.get("/recommendations/bob?k=2")
            seen.add((answer.status_code, answer.json().get("model_version"), answer.json().get("source")))
        return seen

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask, n) for n in range(4)]
        try:
            time.sleep(1)
            (home.root / "aside").rename(home.serving / "4")
            servers.wait_for(lambda: servers.states(model_server.url, MODEL_NAME).get(4) == "AVAILABLE", 60)
            time.sleep(1)
        finally:
            stop.set()
        seen = set().union(*(one.result() for one in asking))
    (home.serving / "4").rename(home.root / "aside")
    servers.wait_for(lambda: servers.states(model_server.url, MODEL_NAME).get(3) == "AVAILABLE", 20)
    assert seen == {(200, 3, "model"), (200, 4, "model")}


def test_keys_and_limits(gateway) -> None:
    client = gateway(api_key="s3cret", rate=0.5, burst=15, body_bytes=2048, batch_events=3, max_k=5)
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": "wröng".encode()}):
        assert client.get("/recommendations/ann", headers=headers).status_code == 401
        assert client.post("/events", json=event(1, "x"), headers=headers).status_code == 401
    client.headers["X-API-Key"] = "s3cret"
    assert client.get("/recommendations/ann?k=5").status_code == 200
    for k in ("0", "6", "-1", "many", "1e3"):
        assert client.get(f"/recommendations/ann?k={k}").status_code == 422
    assert client.post("/events", json=[event(n, "x") for n in range(4)]).status_code == 413
    large = b" " * 3000
    assert client.post("/events", content=large).status_code == 413
    assert client.post("/events", content=iter([large])).status_code == 413
    codes = [client.get("/recommendations/ann?k=5").status_code for _ in range(4)]
    assert codes[-1] == 429
    for forged in ({"X-Forwarded-For": "10.0.0.1"}, {"X-API-Key": "a guess"}):
        assert client.get("/recommendations/ann?k=5", headers=forged).status_code == 429
    slow = client.get("/recommendations/ann?k=5")
    assert 1 <= int(slow.headers["retry-after"]) <= 2
    assert client.get("/docs").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/events", "/recommendations/{user_id}", "/health"}


def test_a_body_that_does_not_come(gateway) -> None:
    client = gateway(body_seconds=0.5)

    def never_ends() -> Iterator[bytes]:
        yield b"["
        time.sleep(3)

    answer = client.post("/events", content=never_ends())
    assert (answer.status_code, answer.json()) == (408, {"detail": "the body took longer than 0.5 s"})


def test_behind_a_proxy_a_client_is_whom_it_names(gateway) -> None:
    client = gateway(rate=0.01, burst=1, proxy="127.0.0.1")
    codes = [
        client.get("/recommendations/ann", headers={"X-Forwarded-For": address}).status_code
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1")
    ]
    assert codes == [200, 200, 429]


BAD = [
    b"", b"{", b"[]]", b"[1]", b"\xff", b"null", b'"x"', b"[" * 5000, b'{"event_id": 1' + b"0" * 5000 + b"}",
    json.dumps(event(1, "")).encode(), json.dumps(event(1, "u", "")).encode(),
    json.dumps(event(1, "u", behavior="frown")).encode(),
    json.dumps(event(1, "u", price=float("nan"))).encode(), json.dumps(event(1, "u", price=-1)).encode(),
    json.dumps(event(1, "u", timestamp="2024-01-01T00:00:00")).encode(),
    json.dumps(event(1, "u", timestamp="2200-01-01T00:00:00Z")).encode(),
    json.dumps(event(1, "u", timestamp=1e300)).encode(), json.dumps(event(1, "u", timestamp=-1e10)).encode(),
    json.dumps(event(1, "\ud800")).encode(), json.dumps(event(1, "a\0b")).encode(),
    json.dumps(event(1, " ")).encode(), json.dumps(event(1, "u", "a\tb")).encode(),
    json.dumps(event(1, "u", timestamp="1980-01-01T00:00:00Z")).encode(),
    json.dumps(event(1, "u" * 300)).encode(), json.dumps(event(1, "u", more=1)).encode(),
]  # fmt: skip


def test_no_body_is_answered_with_a_trace(gateway) -> None:
    client = gateway(rate=1e6, burst=10**6)
    for body in BAD:
        answer = client.post("/events", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), (body[:80], answer.text)
        assert "Traceback" not in answer.text
    mixed = [event(1, "mixed"), event(2, "mixed", behavior="frown")]
    assert client.post("/events", json=mixed).status_code == 422
    assert client.post("/events", json=mixed[:1]).json()["accepted"] == 1, "all or none"
    assert client.post("/events", json=[]).json() == {"accepted": 0, "duplicates": 0, "live": True}
    for user in ("a/b", "%2e%2e", "%ED%A0%80", "ü", "*" * 256):
        assert client.get(f"/recommendations/{user}").status_code == 200
    assert client.get("/recommendations/" + "x" * 257).status_code == 422


def test_settings_that_make_no_sense_are_named(gateway_process, home: Home, tmp_path: Path) -> None:
    wrong = {
        "EVERLEARN_GATEWAY_RATE": "0",
        "EVERLEARN_GATEWAY_COLOUR": "red",
        "EVERLEARN_HOME": str(home.root),
    }
    process = gateway_process({**os.environ, **wrong})
    assert process.wait(30) == 1
    told = (tmp_path / "gateway.log").read_text()
    assert "EVERLEARN_GATEWAY_RATE is refused" in told
    assert "EVERLEARN_GATEWAY_COLOUR is refused" in told
    assert "Traceback" not in told
