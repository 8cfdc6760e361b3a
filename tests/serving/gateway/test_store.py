"""One behaviour of both stores."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.gateway.store import Recent, RedisStore, StoreEmptiedError, StoreUnavailableError
from tests.serving.gateway.conftest import REDIS


def event(number: int, user: str = "u", at: int | None = None) -> Recent:
    return Recent(user, f"e{number}", f"i{number % 3}", "click", number if at is None else at)


def test_oldest_first_whatever_the_order_of_arrival(make_store):
    store = make_store()
    store.append([event(3), event(1, user="other")])
    store.append([event(1), event(2)])
    assert store.recent("u") == [event(1), event(2), event(3)]
    assert store.recent("other") == [event(1, user="other")]
    assert store.recent("nobody") == []


def test_an_event_counts_once(make_store):
    store = make_store()
    for _ in range(3):
        store.append([event(1), event(2), event(1)])
    assert store.recent("u") == [event(1), event(2)]


def test_the_latest_are_kept(make_store):
    store = make_store(keep=3)
    store.append([event(number) for number in range(2, 8)])
    store.append([event(1)])
    assert store.recent("u") == [event(5), event(6), event(7)]


def test_microseconds_and_any_text_come_back(make_store):
    at = 1_790_000_000_123_457
    odd = Recent("ü\n:*", "e\t1", 'i"\\', "purchase", at)
    store = make_store()
    store.append([odd])
    assert store.recent("ü\n:*") == [odd]


def test_forgotten_after_its_time_which_each_append_renews(make_store):
    store = make_store(seconds=1)
    store.append([event(1)])
    time.sleep(0.6)
    store.append([event(2)])
    time.sleep(0.6)
    assert store.recent("u") == [event(1), event(2)]
    time.sleep(0.6)
    assert store.recent("u") == []
    store.append([event(3)])
    assert store.recent("u") == [event(3)]


def test_appends_at_the_same_time_lose_nothing(make_store):
    store = make_store(keep=1000)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.append([event(10 * n + i) for i in range(10)]), range(40)))
    assert store.recent("u") == [event(number) for number in range(400)]


def test_another_process_sees_the_same(make_store):
    first, second = make_store(), make_store()
    first.append([event(1)])
    assert second.recent("u") == [event(1)]


@pytest.mark.skipif(not REDIS, reason="no redis-server")
def test_a_redis_that_is_gone_or_came_back_empty(redis_server):
    store = RedisStore(redis_server.url, 5, 60, 0.5)
    store.begin()
    store.append([event(1)])
    redis_server.kill()
    try:
        for call in (lambda: store.append([event(2)]), lambda: store.recent("u"), store.begin):
            with pytest.raises(StoreUnavailableError, match="Redis does not answer"):
                call()
    finally:
        redis_server.start()
    store.append([event(2)])
    with pytest.raises(StoreEmptiedError):
        store.recent("u")
    store.close()
