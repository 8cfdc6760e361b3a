"""The difference of a corrected day, and memories that follow what the days are now."""

from __future__ import annotations

import pyarrow as pa

from components.replay.corrections import added, exchanged, keys


def row(user: str, span: int, at: int, items: list[str], events: list[str]) -> dict:
    return {
        "user_id": [user],
        "span": [span],
        "timestamp": [at],
        "item_id": items,
        "times_before": [len(items)] * len(items),
        "item_trend_1": [0.5] * len(items),
        "event_id": events,
    }


def table(*rows: dict) -> pa.Table:
    lists = {"user_id": pa.string(), "span": pa.int64(), "timestamp": pa.int64(), "item_id": pa.string()}
    lists |= {"times_before": pa.int64(), "item_trend_1": pa.float32(), "event_id": pa.string()}
    return pa.Table.from_pylist(list(rows), pa.schema([(n, pa.list_(t)) for n, t in lists.items()]))


THEN = table(row("u", 5, 100, ["a", "b"], ["e1", "e2"]), row("v", 5, 100, ["a"], ["e3"]))


def test_a_day_that_has_not_changed_adds_nothing():
    assert added(THEN, THEN).num_rows == 0


def test_rows_of_new_moments_are_added_whole():
    now = table(row("u", 5, 100, ["a", "b"], ["e1", "e2"]), row("w", 5, 90, ["c", "d"], ["e8", "e9"]))
    assert added(now, THEN).to_pylist() == [row("w", 5, 90, ["c", "d"], ["e8", "e9"])]


def test_of_a_moment_that_was_learned_in_part_only_the_rest_is_added():
    now = table(row("u", 5, 100, ["a", "b", "c"], ["e1", "e2", "e9"]))
    (one,) = added(now, THEN).to_pylist()
    assert (one["item_id"], one["event_id"]) == (["c"], ["e9"])
    assert (one["times_before"], one["item_trend_1"]) == ([3], [0.5])


def test_an_item_taken_once_more_at_the_same_moment_is_not_lost():
    now = table(row("v", 5, 100, ["a"], ["e3", "e9"]))
    (one,) = added(now, THEN).to_pylist()
    assert (one["item_id"], one["event_id"]) == (["a"], ["e9"])


def test_memories_are_what_the_days_are_now_and_withdrawn_rows_are_forgotten():
    memory = table(
        row("u", 5, 100, ["a"], ["e1"]), row("v", 5, 100, ["a"], ["e3"]), row("v", 4, 7, ["a"], ["e0"])
    )
    now = table(row("u", 5, 100, ["b"], ["e7"]), row("w", 5, 100, ["c"], ["e8"]))
    after = exchanged(memory, now, {5}, whole_day=False)
    assert sorted(keys(after)) == [("u", 5, 100), ("v", 4, 7)]
    assert ["b"] in after["item_id"].to_pylist()


def test_a_held_out_day_that_now_begins_earlier_is_the_same_day():
    memory, now = table(row("u", 5, 100, ["a"], ["e1"])), table(row("u", 5, 60, ["a", "b"], ["e0", "e1"]))
    assert exchanged(memory, now, {5}, whole_day=True).to_pylist() == now.to_pylist()
    assert exchanged(memory, now, {5}, whole_day=False).num_rows == 0
