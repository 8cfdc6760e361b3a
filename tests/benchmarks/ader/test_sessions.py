"""The protocol on sessions that can be followed by hand."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.ader.metrics import mrr, recall
from benchmarks.ader.protocol import asked_sessions
from benchmarks.ader.sessions import LONGEST, Cases, Sessions, read


def sessions(*items: list[int], first: int = 100) -> Sessions:
    ids = np.repeat(np.arange(first, first + len(items)), [len(one) for one in items])
    return Sessions.of(ids, np.concatenate(items))


def lists(found: Sessions) -> list[list[int]]:
    return [found.items[start:end].tolist() for start, end in itertools.pairwise(found.bounds)]


def cases(found: Cases) -> list[tuple[list[int], int]]:
    given = np.split(found.given, found.bounds[1:-1])
    return [(one.tolist(), int(answer)) for one, answer in zip(given, found.answer, strict=True)]


def test_a_file_becomes_periods_of_sessions_in_the_order_of_rows(tmp_path: Path) -> None:
    table = pa.table(
        {
            "period": [1, 0, 0, 0, 0, 1],
            "session_id": [7, 9, 7, 9, 7, 7],
            "item_id": [5, 1, 2, 3, 4, 6],
            "row": [1, 2, 1, 4, 3, 0],
        }
    )
    pq.write_table(table, tmp_path / "views.parquet")
    first, second = read(tmp_path / "views.parquet")
    assert (first.ids.tolist(), lists(first)) == ([7, 9], [[2, 4], [1, 3]])
    assert (second.ids.tolist(), lists(second)) == ([7], [[6, 5]])


def test_a_file_without_a_column_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"period": [0], "session_id": [1], "item_id": [1]}), tmp_path / "views.parquet")
    with pytest.raises(ValueError, match=r"views\.parquet: column 'row' is missing"):
        read(tmp_path / "views.parquet")


def test_every_event_after_the_first_is_a_case_and_sees_what_lies_before_it_alone() -> None:
    found = Cases.of(sessions([1, 2, 1, 3], [4], [5, 6]))
    assert cases(found) == [([1], 2), ([1, 2], 1), ([1, 2, 1], 3), ([5], 6)]
    assert (found.session.tolist(), found.place.tolist()) == ([0, 0, 0, 2], [1, 2, 3, 1])


def test_a_case_looks_back_on_the_newest_events() -> None:
    found = cases(Cases.of(sessions(list(range(1, LONGEST + 4)))))
    assert found[-1] == (list(range(3, LONGEST + 3)), LONGEST + 3)


def test_items_unseen_so_far_leave_the_test_and_sessions_of_one_event_with_them() -> None:
    periods = [
        sessions([1, 2, 3]),
        sessions([4, 3]),
        sessions([1, 9, 2], [9, 3], [8, 9, 4, 4]),
        sessions([9, 8]),
    ]
    assert lists(asked_sessions(periods, 0)) == []
    assert lists(asked_sessions(periods, 1)) == [[1, 2], [4, 4]]
    assert lists(asked_sessions(periods, 2)) == [[9, 8]]


def test_metrics_stop_at_20() -> None:
    ranks = np.array([1, 4, 20, 21])
    assert recall(ranks) == 0.75
    assert mrr(ranks) == pytest.approx((1 + 1 / 4 + 1 / 20) / 4)
