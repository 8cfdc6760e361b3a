"""How close the product over a large catalogue runs to the memory's bandwidth, and whether fewer bits pay.

Random vectors: what is lost with fewer bits depends on them, how long it takes does not. Everything is made
of stock TensorFlow operations; with fewer bits the best 200 are scored again in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import psutil
import tensorflow as tf

from benchmarks.serving.model import DIMENSION, K
from components.features.catalogue import SIGNALS
from components.trainer.ranker import columns
from components.trainer.top import top_k

WIDTH = DIMENSION + SIGNALS + 1
AGAIN = 200
_BLOCK = 2**14
"""Columns that are widened at a time, so that they stay in the cache."""
Lists = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Precision:
    """One way to compute lists of K items for one and for 32 queries."""

    way: str
    bytes_an_item: int
    one_ms: float
    batch_ms: float
    gigabytes_per_second: float
    """That one query reads of the matrix."""
    recall: float
    """Of the exact lists' items."""


def read_bandwidth() -> float:
    """GB/s: the best of some dot products of an array beyond every cache with itself, a thread a core."""
    threads = psutil.cpu_count() or 1
    parts = np.array_split(np.ones(2**27, np.float32), threads)
    with ThreadPoolExecutor(threads) as pool:
        seconds = _best(lambda: list(pool.map(np.dot, parts, parts)), 20)
    return sum(part.nbytes for part in parts) / seconds / 1e9


def measure(items: int, repeats: int) -> Iterator[Precision]:
    """Each way over `items` random items; the first is the exact one, as the product computes it."""
    items = items // _BLOCK * _BLOCK
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((WIDTH, items), np.float32)
    one, batch = (tf.constant(rng.standard_normal((rows, WIDTH), np.float32)) for rows in (1, 32))
    kept = tf.Variable(matrix)
    exact: set[tuple[int, int]] = set()
    for way, size, lists in _ways(kept, matrix):
        run = tf.function(lists, autograph=False)
        found = _pairs(run(batch).numpy())
        exact = exact or found
        seconds = [_best(partial(run, queries), repeats) for queries in (one, batch)]
        yield Precision(
            way,
            size * WIDTH,
            one_ms=round(seconds[0] * 1e3, 2),
            batch_ms=round(seconds[1] * 1e3, 2),
            gigabytes_per_second=round(size * matrix.size / seconds[0] / 1e9, 1),
            recall=round(len(found & exact) / len(exact), 4),
        )


def _ways(kept: tf.Variable, matrix: np.ndarray) -> Iterator[tuple[str, int, Lists]]:
    """Name, bytes a number, and lists of best columns for queries [rows, WIDTH]."""
    yield "float32, items side by side (served)", 4, lambda q: top_k(q @ kept, K)[1]
    yield "float32, a row an item", 4, _by_rows(tf.Variable(matrix.T.copy()))
    yield "bfloat16", 2, _again(kept, _narrow(tf.Variable(tf.cast(kept, tf.bfloat16))))
    halves = tf.Variable(_in_blocks(matrix.astype(np.float16)))
    yield "float16, widened in blocks", 2, _again(kept, lambda q: _widened(q, halves))
    scale = np.abs(matrix).max(axis=0) / 127
    whole = tf.Variable(_in_blocks(np.round(matrix / scale).astype(np.int8)))
    factor = tf.Variable(scale)
    yield "int8, widened in blocks", 1, _again(kept, lambda q: _widened(q, whole) * factor)


def _by_rows(rows: tf.Variable) -> Lists:
    return lambda queries: tf.math.top_k(tf.linalg.matmul(queries, rows, transpose_b=True), K)[1]


def _narrow(half: tf.Variable) -> Lists:
    return lambda queries: tf.cast(tf.cast(queries, half.dtype) @ half, tf.float32)


def _in_blocks(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(matrix.reshape(WIDTH, -1, _BLOCK).transpose(1, 0, 2))


def _widened(queries: tf.Tensor, blocks: tf.Variable) -> tf.Tensor:
    parts = [queries @ tf.cast(blocks[number], tf.float32) for number in range(blocks.shape[0])]
    return tf.concat(parts, axis=1)


def _again(kept: tf.Variable, approximate: Lists) -> Lists:
    """The best K of the approximately best, by their exact scores."""

    def lists(queries: tf.Tensor) -> tf.Tensor:
        _, near = top_k(approximate(queries), AGAIN)
        scores = tf.linalg.matvec(columns(kept, near + 1), queries)
        return tf.gather(near, tf.math.top_k(scores, K)[1], axis=1, batch_dims=1)

    return lists


def _pairs(lists: np.ndarray) -> set[tuple[int, int]]:
    return {(row, int(item)) for row, found in enumerate(lists) for item in found}


def _best(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest run: what else the machine does only slows it."""
    work()
    took = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)
