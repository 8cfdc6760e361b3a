"""Look-ups: they answer by id, and go when nobody knows them any more."""

from __future__ import annotations

import gc

import psutil
import pyarrow as pa

from components.trainer.vocabulary import look_up, lookup_table

IDS = [f"a rather long id that takes its place in memory {n:07d}" for n in range(30_000)]


def test_a_process_that_makes_many_does_not_fill_up() -> None:
    """Day after day a backtest and a worker make tables of all ids: 40 of these would stay as 200 MB."""

    def make(times: int) -> int:
        for _ in range(times):
            assert look_up(lookup_table(IDS), pa.array([IDS[7], "none"])).tolist() == [8, 0]
        gc.collect()
        return psutil.Process().memory_info().rss

    before = make(5)
    assert make(40) - before < 60 * 2**20
