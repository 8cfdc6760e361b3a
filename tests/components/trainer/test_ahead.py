"""What is made ahead of its time is the same, in the same order, and not far ahead."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from components.trainer.ahead import ahead


def test_the_items_in_their_order() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter(()))) == []


def test_one_item_is_made_while_the_one_before_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, one in enumerate(made):
            one.set()
            yield number

    using = ahead(items())
    assert next(using) == 0
    assert made[1].wait(5)
    assert not made[2].is_set()
    assert list(using) == [1, 2]


def test_an_error_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second")

    using = ahead(items())
    assert next(using) == 1
    with pytest.raises(ValueError, match="no second"):
        next(using)


def test_who_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    assert list(itertools.islice(ahead(itertools.count()), 3)) == [0, 1, 2]
    using = ahead(itertools.count())
    next(using)
    using.close()
    assert threading.active_count() <= before
