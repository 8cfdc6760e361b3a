"""The data state in files, its digest, and what is asked of it: trends and histories."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.features import rows
from components.features.advance import DEFAULT_WEIGHTS, advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.history import HISTORY
from components.features.stretch import advance_stretch
from schemas.rows import DECAYED, DECAYS
from schemas.spans import MICROS_PER_DAY, date_of, start_of
from tests.factories import FIRST_SPAN, events_table, make_events, make_items, make_users

CONFIG = FeaturesConfig(holdout_share=0.2)


@pytest.fixture(scope="module")
def state():
    return advance_stretch(None, make_events(4), make_items(), make_users(), CONFIG, DEFAULT_WEIGHTS)[2]


def test_a_saved_state_is_the_same_when_loaded(state, tmp_path):
    state.save(tmp_path)
    loaded = DataState.load(tmp_path)
    assert loaded.digest() == state.digest()
    assert loaded.catalogue.schema == state.catalogue.schema
    assert loaded.spans == state.spans


def test_a_state_of_an_earlier_release_says_what_to_do(state, tmp_path):
    state.save(tmp_path)
    path = tmp_path / "history.parquet"
    pq.write_table(pq.read_table(path).drop(["decayed_7", "last_behavior"]), path)
    days = f"--from {date_of(min(state.spans))} --to {date_of(state.span)}"
    with pytest.raises(ValueError, match=rf"history lacks last_behavior, decayed_7\).*--force {days}"):
        DataState.load(tmp_path)


def test_the_digest_sees_one_changed_value(state):
    times = state.history["times"].to_numpy().copy()
    times[0] += 1
    history = state.history.set_column(2, "times", pa.array(times))
    changed = DataState(state.span, state.spans, state.catalogue, state.users, history, state.item_days)
    assert changed.digest() != state.digest()


def test_catalogue_and_history_are_sorted(state):
    by_arrival = list(
        zip(state.catalogue["first_span"].to_pylist(), state.catalogue["item_id"].to_pylist(), strict=False)
    )
    assert by_arrival == sorted(by_arrival)
    keys = list(
        zip(
            *(state.history[name].to_pylist() for name in ("user_id", "last_timestamp", "item_id")),
            strict=False,
        )
    )
    assert keys == sorted(keys)


def test_trends_count_the_days_before_the_span(state):
    trends = state.trends(FIRST_SPAN + 2)
    counts = {item: [0, 0, 0, 0] for item in state.catalogue["item_id"].to_pylist()}
    for row in state.item_days.to_pylist():
        age = FIRST_SPAN + 2 - row["span"]
        for place, window in enumerate((1, 3, 7, 28)):
            counts[row["item_id"]][place] += row["events"] if 0 < age <= window else 0
    np.testing.assert_allclose(trends[:, :4], np.log1p(list(counts.values())), rtol=1e-6)
    assert not trends[:, 4].any(), "nothing was announced"
    assert trends.dtype == np.float32


def test_histories_are_what_tomorrows_first_row_would_see(state):
    at = start_of(state.span + 1) + MICROS_PER_DAY // 2
    users = ["u003", "nobody", "u001"]
    asked = state.histories(users, at)
    day = events_table([(f"e{n}", user, "i000", at, "purchase", None) for n, user in enumerate(users)])
    learn, _, _ = advance(
        state, day, state.span + 1, make_items(), make_users(), FeaturesConfig(holdout_share=0)
    )
    tomorrow = {row["user_id"][0]: row for row in learn.to_pylist()}
    for row in asked.to_pylist():
        expected = tomorrow[row["user_id"][0]]
        for name in (
            "history_item",
            "history_times",
            "history_last",
            *DECAYED,
            "user_age",
            "user_income",
            "hour",
            "span",
        ):
            assert row[name] == expected[name]
    assert rows.scalar(asked, "user_id").to_pylist() == users
    assert asked.to_pylist()[1]["history_item"] == []


def test_a_feature_that_changes_its_type_is_named(state):
    items = make_items().set_column(3, "weight", pa.array(["heavy"] * 30))
    with pytest.raises(ValueError, match="'weight' was float on earlier days and is string now"):
        advance(
            state,
            make_events(1, first_span=state.span + 1)[state.span + 1],
            state.span + 1,
            items,
            None,
            CONFIG,
        )


def test_features_stay_when_the_item_table_is_gone(state):
    _, _, after = advance(state, make_events(5)[state.span + 1], state.span + 1, None, None, CONFIG)
    before = dict(
        zip(state.catalogue["item_id"].to_pylist(), state.catalogue["category"].to_pylist(), strict=False)
    )
    now = dict(
        zip(after.catalogue["item_id"].to_pylist(), after.catalogue["category"].to_pylist(), strict=False)
    )
    assert {item: now[item] for item in before} == before


def test_a_day_of_4000_events_against_a_million_pairs_takes_seconds():
    users, pairs = 2500, 400
    ids = pa.array(np.char.add("u", np.char.zfill(np.arange(users).astype(str), 6)))
    rng = np.random.default_rng(0)
    last = np.sort(
        rng.integers(start_of(FIRST_SPAN - 100), start_of(FIRST_SPAN), (users, pairs)), axis=1
    ).ravel()
    item = rng.permuted(np.tile(np.arange(30_000), (users, 1))[:, :pairs], axis=1).ravel()
    history = pa.Table.from_arrays(
        [
            ids.take(pa.array(np.repeat(np.arange(users), pairs))),
            pa.array(np.char.add("i", item.astype(str))),
            pa.array(np.ones(users * pairs, np.int32)),
            pa.array(last),
            pa.array(last),
            pa.array(["click"] * (users * pairs)),
            *[pa.array(np.ones(users * pairs, np.float32))] * len(DECAYS),
        ],
        schema=HISTORY,
    )
    empty = advance(
        None, make_events(1, first_span=FIRST_SPAN - 1)[FIRST_SPAN - 1], FIRST_SPAN - 1, None, None, CONFIG
    )[2]
    before = DataState(empty.span, empty.spans, empty.catalogue, empty.users, history, empty.item_days)
    day = events_table(
        [
            (
                str(n),
                f"u{rng.integers(350):06d}",
                f"i{rng.integers(30_000)}",
                start_of(FIRST_SPAN) + n // 10,
                "click",
                None,
            )
            for n in range(4000)
        ]
    )
    began = time.process_time()
    learn, held, after = advance(before, day, FIRST_SPAN, None, None, CONFIG)
    assert time.process_time() - began < 4
    assert sum(map(len, learn["event_id"].to_pylist() + held["event_id"].to_pylist())) == 4000
    assert after.history.num_rows > 1_000_000
