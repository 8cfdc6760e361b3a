"""A step's arrays are made while the step before is learned: NumPy and TensorFlow let each other work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T]) -> Iterator[T]:
    """What `items` gives, in its order, made in a thread that is one item ahead.

    Errors of `items` are raised in their turn.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, items, _END)
        while (one := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield one  # type: ignore[misc]
