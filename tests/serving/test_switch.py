"""Real SavedModels pushed under load: no request is lost; broken ones never take traffic."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.lineage import digest_of
from schemas.signatures import LINEAGE_FILE
from tests.serving import contract_model, servers

MODEL = contract_model.NAME


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 to 3, not yet pushed."""
    aside = tmp_path_factory.mktemp("aside")
    for version in (1, 2, 3):
        contract_model.write(aside / str(version), version)
    return aside


def push(saved: Path, base: Path, version: int) -> None:
    """As a pusher does: whole, by rename."""
    base.mkdir(exist_ok=True)
    shutil.copytree(saved / str(version), base / f"{version}.new")
    (base / f"{version}.new").rename(base / str(version))


@pytest.fixture
def server(saved: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    base = tmp_path / "base"
    push(saved, base, 1)
    flags = ("--file_system_poll_wait_seconds=0.05", "--load_retry_interval_micros=100000")
    with servers.running(base, MODEL, tmp_path / "server", *flags) as running:
        yield running.url, base


def answered_by(http: httpx.Client, url: str, rounds: int = 1) -> int:
    body = {"signature_name": "version", "instances": [rounds]}
    answer = http.post(f"{url}/v1/models/{MODEL}:predict", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]


def test_switches_under_load_lose_no_request(server, saved):
    url, base = server
    stop, lock = threading.Event(), threading.Lock()
    seen: list[int] = []
    failures: list[str] = []

    def load() -> None:
        with httpx.Client(timeout=30) as http:
            while not stop.is_set():
                try:
                    version = answered_by(http, url, rounds=50)
                except (httpx.HTTPError, AssertionError) as error:
                    failures.append(repr(error))
                    return
                with lock:
                    seen.append(version)

    clients = [threading.Thread(target=load) for _ in range(8)]
    for client in clients:
        client.start()
    try:
        for version in (2, 3):
            push(saved, base, version)
            servers.wait_for(lambda: servers.states(url, MODEL).get(version) == "AVAILABLE", 30)  # noqa: B023
            with lock:
                before = len(seen)
            servers.wait_for(lambda: len(seen) > before + 50 or failures, 30)  # noqa: B023
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    assert not failures
    assert set(seen) == {1, 2, 3}
    servers.wait_for(lambda: servers.states(url, MODEL) == {3: "AVAILABLE", 2: "END", 1: "END"}, 10)


def test_broken_and_half_written_versions_never_take_traffic(server, saved):
    url, base = server
    (base / "2").mkdir()
    shutil.copy(saved / "2" / "saved_model.pb", base / "2")  # its variables never arrived
    (base / "3").mkdir()
    (base / "3" / "saved_model.pb").write_bytes(b"no protocol buffer")

    def told(version: int) -> str:
        answer = httpx.get(f"{url}/v1/models/{MODEL}/versions/{version}").json()
        return answer.get("model_version_status", [{}])[0].get("status", {}).get("error_message", "")

    servers.wait_for(lambda: told(3), 10)
    assert "saved_model.pb" in told(3)
    shutil.rmtree(base / "3")
    servers.wait_for(lambda: told(2), 10)
    assert "variables" in told(2)
    with httpx.Client() as http:
        assert answered_by(http, url) == 1
    assert servers.states(url, MODEL)[1] == "AVAILABLE"
    shutil.copytree(saved / "2" / "variables", base / "2" / "variables", dirs_exist_ok=True)
    servers.wait_for(lambda: servers.states(url, MODEL)[2] == "AVAILABLE", 10)
    with httpx.Client() as http:
        assert answered_by(http, url) == 2


def test_a_damaged_version_never_takes_traffic(server, saved):
    url, base = server
    pushed = saved.parent / "damaged" / "2"
    shutil.copytree(saved / "2", pushed)
    (pushed / LINEAGE_FILE).write_text(json.dumps({"files_digest": digest_of(pushed)}))
    weights = pushed / "variables" / "variables.data-00000-of-00001"
    whole = weights.read_bytes()
    middle = len(whole) // 2
    weights.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    push(pushed.parent, base, 2)

    def told() -> dict:
        answer = httpx.get(f"{url}/v1/models/{MODEL}/versions/2").json()
        return answer.get("model_version_status", [{}])[0].get("status", {})

    servers.wait_for(lambda: told().get("error_message"), 10)
    assert told()["error_code"] == "DATA_LOSS"
    assert "are not those that were pushed" in told()["error_message"]
    with httpx.Client() as http:
        assert answered_by(http, url) == 1
    (base / "2" / weights.relative_to(pushed)).write_bytes(whole)
    servers.wait_for(lambda: servers.states(url, MODEL)[2] == "AVAILABLE", 10)


def test_a_model_that_cannot_be_served_fails_the_start(tmp_path):
    (tmp_path / "base" / "1").mkdir(parents=True)
    with (
        pytest.raises(AssertionError, match="Could not find SavedModel"),
        servers.running(tmp_path / "base", MODEL, tmp_path / "server", "--max_num_load_retries=0"),
    ):
        pass


def test_ends_cleanly_on_sigterm_and_with_its_parent(saved, tmp_path):
    for number, end in enumerate(("signal", "parent")):
        with servers.running(saved, MODEL, tmp_path / str(number)) as running:
            if end == "signal":
                os.kill(running.process.pid, signal.SIGTERM)
            else:
                running.process.stdin.close()
            assert running.process.wait(10) == 0
