"""Micro-batching: the same answers as one by one, bounded queues, nobody hurt by another's request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from serving.batching import Batcher, Batching
from serving.config_file import ConfigError, read_batching
from serving.errors import ApiError, Code
from tests.serving import contract_model, servers


class Held:
    """Work that records its batches and goes on when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.running, self.go = threading.Event(), threading.Event()

    def __call__(self, inputs):
        self.batches.append(len(inputs["x"]))
        self.running.set()
        assert self.go.wait(10)
        if (inputs["x"] < 0).any():
            raise ApiError(Code.INVALID_ARGUMENT, "negative")
        return {"y": inputs["x"] * 2}


def ask(batcher: Batcher, work: Callable, *rows: int, width: int = 1, key: str = "k") -> np.ndarray:
    values = np.repeat(np.array(rows, np.float32)[:, None], width, axis=1)
    return batcher.submit(key, {"x": values}, work).result()["y"]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(32) as threads:
        yield threads


def queued(batcher: Batcher, tasks: int) -> None:
    def waiting() -> int:
        return sum(len(batch.tasks) for queue in batcher._queues.values() for batch in queue)

    servers.wait_for(lambda: waiting() == tasks, 5)


def test_what_waits_runs_as_one_and_everybody_gets_his_own_rows(pool):
    batcher, work = Batcher(Batching(num_batch_threads=1)), Held()
    first = pool.submit(ask, batcher, work, 1)
    assert work.running.wait(5)
    others = [pool.submit(ask, batcher, work, *range(n, 2 * n)) for n in range(1, 8)]
    queued(batcher, 7)
    work.go.set()
    assert first.result().tolist() == [[2]]
    for n, other in enumerate(others, start=1):
        assert other.result()[:, 0].tolist() == [2.0 * value for value in range(n, 2 * n)]
    assert work.batches == [1, sum(range(1, 8))]


def test_rows_of_other_shapes_and_keys_do_not_mix(pool):
    batcher, work = Batcher(Batching(num_batch_threads=1)), Held()
    first = pool.submit(ask, batcher, work, 1)
    assert work.running.wait(5)
    kinds = [{"width": 2}, {"width": 3}, {"key": "other"}]
    others = [pool.submit(ask, batcher, work, 5, **kind) for kind in kinds]
    queued(batcher, 3)
    work.go.set()
    assert [one.result().shape for one in (first, *others)] == [(1, 1), (1, 2), (1, 3), (1, 1)]
    assert work.batches == [1, 1, 1, 1]


def test_a_full_queue_is_unavailable_and_a_large_request_refused(pool):
    batcher = Batcher(Batching(max_batch_size=2, max_enqueued_batches=1, num_batch_threads=1))
    work = Held()
    running = pool.submit(ask, batcher, work, 1)
    assert work.running.wait(5)
    waiting = pool.submit(ask, batcher, work, 2, 3)
    queued(batcher, 1)
    with pytest.raises(ApiError, match="queue to which this task was submitted is full") as full:
        ask(batcher, work, 4)
    assert full.value.code.http_status == 503
    with pytest.raises(ApiError, match="Task size 3 is larger than maximum input batch size 2"):
        ask(batcher, work, 1, 2, 3)
    work.go.set()
    assert running.result().tolist() == [[2]]
    assert waiting.result().tolist() == [[4], [6]]


def test_an_error_is_only_his_who_made_it(pool):
    batcher, work = Batcher(Batching(num_batch_threads=1)), Held()
    first = pool.submit(ask, batcher, work, 1)
    assert work.running.wait(5)
    bad, good = pool.submit(ask, batcher, work, -1), pool.submit(ask, batcher, work, 7)
    queued(batcher, 2)
    work.go.set()
    assert good.result().tolist() == [[14]]
    with pytest.raises(ApiError, match="negative"):
        bad.result()
    assert first.result().tolist() == [[2]]


def test_a_batch_waits_its_time_and_no_longer_when_full(pool):
    batcher, work = Batcher(Batching(max_batch_size=2, batch_timeout_micros=300_000)), Held()
    work.go.set()
    started = time.monotonic()
    alone = pool.submit(ask, batcher, work, 1)
    alone.result()
    assert time.monotonic() - started >= 0.3
    started = time.monotonic()
    pair = [pool.submit(ask, batcher, work, n) for n in (1, 2)]
    assert [one.result().tolist() for one in pair] == [[[2]], [[4]]]
    assert time.monotonic() - started < 0.3
    assert work.batches == [1, 2]


def test_what_has_no_batch_runs_alone():
    batcher = Batcher(Batching(max_batch_size=1))
    uneven = {"a": np.zeros(2), "b": np.zeros(3)}
    assert batcher.submit("k", uneven, lambda inputs: dict(inputs)).result().keys() == {"a", "b"}
    assert batcher.submit("k", {"a": np.float32(1)}, lambda inputs: dict(inputs)).result() == {"a": 1}


def test_nobody_runs_what_nobody_waits_for(pool):
    batcher, work = Batcher(Batching(num_batch_threads=1)), Held()
    first = pool.submit(ask, batcher, work, 1)
    assert work.running.wait(5)
    given_up, kept = (batcher.submit("k", {"x": np.full((1, 1), n)}, work) for n in (2, 3))
    assert given_up.cancel()
    work.go.set()
    assert kept.result(5)["y"].tolist() == [[6]]
    assert first.result(5).tolist() == [[2]]
    assert work.batches == [1, 1]


def test_parameters(tmp_path: Path):
    file = tmp_path / "batching.config"
    file.write_text(
        'max_batch_size { value: 32 } batch_timeout_micros { value: 0 } thread_pool_name { value: "x" }'
    )
    got = read_batching(file)
    assert got == Batching(max_batch_size=32, num_batch_threads=Batching().num_batch_threads)
    for text, reason in (("num_batch_threads { value: 0 }", "positive"), ("max_size { value: 1 }", "parse")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=reason):
            read_batching(file)


@pytest.fixture(scope="module")
def url(contract_version, tmp_path_factory):
    aside = tmp_path_factory.mktemp("batching")
    file = aside / "batching.config"
    file.write_text("max_batch_size { value: 4 } batch_timeout_micros { value: 20000 }")
    flags = ("--enable_batching", f"--batching_parameters_file={file}", "--file_system_poll_wait_seconds=0")
    with servers.running(contract_version.parent, contract_model.NAME, aside / "server", *flags) as running:
        yield f"{running.url}/v1/models/{contract_model.NAME}:predict"


REQUESTS = [
    {"instances": [[1, 2]]},
    {"inputs": [[3, 4], [5, 6]]},
    {"instances": [[1, 2, 3]]},
    {"signature_name": "two", "instances": [{"a": 1, "b": 2}]},
    {"signature_name": "two", "inputs": {"a": [1, 2], "b": [3]}},
    {"signature_name": "upper", "instances": ["ab", "cd"]},
    {"signature_name": "scalar", "inputs": 1.5},
    {"signature_name": "uneven", "inputs": [1, 2]},
    {"signature_name": "any_shape", "instances": [[1.5]]},
]


def test_answers_are_those_of_a_server_without_batching(url, client):
    expected = [client.post(":predict", json=request) for request in REQUESTS]

    def answer(request: dict) -> tuple[int, bytes]:
        got = httpx.post(url, json=request)
        return got.status_code, got.content

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(answer, REQUESTS * 10))
    for number, got in enumerate(answers):
        wanted = expected[number % len(REQUESTS)]
        assert got == (wanted.status_code, wanted.content), REQUESTS[number % len(REQUESTS)]


def test_a_request_beyond_the_batch_size_is_400(url):
    answer = httpx.post(url, json={"instances": [[1, 2]] * 5})
    assert answer.status_code == 400
    assert "Task size 5 is larger" in answer.json()["error"]
