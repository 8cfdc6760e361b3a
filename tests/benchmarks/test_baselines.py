"""The baselines on a log small enough to rank by hand."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.baselines import habit_ranks, popularity_ranks
from benchmarks.next_day import interval
from components.features.advance import advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from schemas.events import EVENTS
from schemas.spans import span_of, start_of

SPAN = span_of(dt.date(2024, 3, 4))


def day(span: int, takes: list[tuple[str, str]]) -> pa.Table:
    columns = {
        "event_id": [f"{span}-{n}" for n in range(len(takes))],
        "user_id": [user for user, _ in takes],
        "item_id": [item for _, item in takes],
        "timestamp": [start_of(span) + n for n in range(len(takes))],
        "behavior": ["purchase"] * len(takes),
        "price": [None] * len(takes),
    }
    return pa.table(columns).cast(EVENTS)


@pytest.fixture
def data() -> DataState:
    """Milk is popular, tea is ann's: she took it twice, bread once; salt sold well but long ago."""
    takes = {
        SPAN: [(f"old{n}", "salt") for n in range(9)],
        SPAN + 8: [("ann", "tea"), ("bob", "milk"), ("cid", "milk"), ("dot", "bread")],
        SPAN + 9: [("ann", "tea"), ("ann", "bread"), ("bob", "milk")],
    }
    state = None
    for span, events in takes.items():
        _, _, state = advance(state, day(span, events), span, None, None, FeaturesConfig())
    assert state is not None
    return state


def asked(data: DataState, takes: list[tuple[str, str]]) -> pa.Table:
    everyone = FeaturesConfig.model_construct(**FeaturesConfig().model_dump() | {"holdout_share": 1.0})
    return advance(data, day(data.span + 1, takes), data.span + 1, None, None, everyone)[1]


def test_popularity_counts_the_last_seven_days_only(data: DataState) -> None:
    rows = asked(data, [("eve", "milk"), ("eve", "salt"), ("eve", "unheard of")])
    ranks = dict(zip(rows["item_id"].to_pylist()[0], popularity_ranks(data, rows), strict=True))
    assert ranks == {"milk": 1, "salt": 4, "unheard of": 5}


def test_habit_puts_the_users_own_items_first_and_popularity_behind(data: DataState) -> None:
    rows = asked(data, [("ann", "bread"), ("ann", "milk"), ("ann", "salt"), ("ann", "tea")])
    ranks = dict(zip(rows["item_id"].to_pylist()[0], habit_ranks(data, rows), strict=True))
    assert ranks == {"tea": 1, "bread": 2, "milk": 3, "salt": 4}


def test_habit_of_a_stranger_is_popularity(data: DataState) -> None:
    rows = asked(data, [("eve", "milk"), ("eve", "bread"), ("fay", "tea")])
    np.testing.assert_array_equal(habit_ranks(data, rows), popularity_ranks(data, rows))


def test_interval_draws_users_not_rows() -> None:
    """A hundred rows of one user say as little as one row of each of two would."""
    users = np.array(["ann"] * 100 + ["bob"] * 100)
    recall = np.array([1.0] * 100 + [0.0] * 100)
    assert interval(users, recall) == (0.5, 0.0, 1.0)
