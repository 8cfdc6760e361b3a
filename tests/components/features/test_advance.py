"""What rows and the data state hold, against a plain walk over the events one by one, and as properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.features import rows
from components.features.advance import DEFAULT_WEIGHTS, advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.digest import of_table
from components.features.stretch import advance_stretch
from schemas.events import BEHAVIORS, EVENTS
from schemas.rows import DECAYED, DECAYS, HISTORY_LISTS, ITEM_LISTS, SCALARS, TREND_DAYS
from schemas.spans import MICROS_PER_DAY, held_out, start_of
from tests.factories import FIRST_SPAN, events_table, make_events, make_items, make_users

HOUR = MICROS_PER_DAY // 24
CONFIG = FeaturesConfig(holdout_share=0.3)
ITEMS, USERS = make_items(), make_users()


def run(days, before=None, config=CONFIG, weights=DEFAULT_WEIGHTS):
    return advance_stretch(before, days, ITEMS, USERS, config, weights)


@st.composite
def event_days(draw):
    """One to three days of few users, items and moments, so that collisions are the rule."""
    spans = range(FIRST_SPAN, FIRST_SPAN + draw(st.integers(1, 3)))
    event = st.tuples(
        st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.sampled_from(BEHAVIORS),
        st.none() | st.floats(0, 100, width=32),
    )  # fmt: skip
    return {
        span: events_table(
            [
                (f"{span}-{n}", f"u{user}", f"i{item}", start_of(span) + hour * HOUR, behavior, price)
                for n, (user, item, hour, behavior, price) in enumerate(draw(st.lists(event, max_size=14)))
            ]
        )
        for span in spans
    }  # fmt: skip


def known_before(days, user, at):
    """The user's takes strictly before a moment: item -> (times, first, last, behaviour, all moments)."""
    seen = {}
    events = [event for table in days.values() for event in table.to_pylist()]
    moments = sorted({(micros(e), e["item_id"]) for e in events if e["user_id"] == user and micros(e) < at})
    for stamp, item in moments:
        behaviors = [
            e["behavior"] for e in events
            if (e["user_id"], e["item_id"], micros(e)) == (user, item, stamp)
        ]  # fmt: skip
        stamps = [*(seen[item][4] if item in seen else ()), stamp]
        seen[item] = (len(stamps), stamps[0], stamp, min(behaviors, key=BEHAVIORS.index), stamps)
    return seen


def spelled(table):
    """Rows as text: a NaN equals a NaN."""
    return [repr(row) for row in table.to_pylist()]


def micros(event):
    return round(event["timestamp"].timestamp() * 1e6)


@settings(max_examples=25, deadline=None)
@given(event_days())
def test_every_row_is_what_a_walk_over_the_events_finds(days):
    learn, held, _ = run(days)
    for row in [*learn.to_pylist(), *held.to_pylist()]:
        (user,), (at,), (span,) = row["user_id"], row["timestamp"], row["span"]
        known = known_before(days, user, at)
        expected = sorted(known.items(), key=lambda pair: (pair[1][2], pair[0]))
        assert row["history_item"] == [item for item, _ in expected]
        assert row["history_times"] == [found[0] for _, found in expected]
        assert row["history_behavior"] == [found[3] for _, found in expected]
        np.testing.assert_allclose(
            row["history_first"], [(at - found[1]) / MICROS_PER_DAY for _, found in expected], rtol=1e-6
        )
        np.testing.assert_allclose(
            row["history_last"], [(at - found[2]) / MICROS_PER_DAY for _, found in expected], rtol=1e-6
        )
        assert all(age > 0 for age in row["history_last"])
        for name, half_life in zip(DECAYED, DECAYS, strict=True):
            counts = [sum(0.5 ** ((at - one) / MICROS_PER_DAY / half_life) for one in found[4])
                      for _, found in expected]  # fmt: skip
            np.testing.assert_allclose(row[name], counts, rtol=1e-5)
        assert row["times_before"] == [known[item][0] if item in known else 0 for item in row["item_id"]]
        np.testing.assert_allclose(
            row["days_since"],
            [(at - known[item][2]) / MICROS_PER_DAY if item in known else np.nan for item in row["item_id"]],
            rtol=1e-6,
        )
        today = [event for event in days[span].to_pylist() if event["user_id"] == user]
        if held_out([user], span, CONFIG.holdout_share)[0]:
            assert at == min(map(micros, today))
        else:
            today = [event for event in today if micros(event) == at]
        assert sorted(row["item_id"]) == sorted({event["item_id"] for event in today})
        assert sorted(row["event_id"]) == sorted(event["event_id"] for event in today)
        for item, behavior in zip(row["item_id"], row["behavior"], strict=True):
            taken = [event["behavior"] for event in today if event["item_id"] == item]
            assert behavior == min(taken, key=BEHAVIORS.index)


@settings(max_examples=20, deadline=None)
@given(event_days())
def test_each_event_stands_in_exactly_one_row(days):
    learn, held, _ = run(days)
    ids = [id_ for table in (learn, held) for ids in table["event_id"].to_pylist() for id_ in ids]
    assert sorted(ids) == sorted(id_ for table in days.values() for id_ in table["event_id"].to_pylist())


@settings(max_examples=20, deadline=None)
@given(event_days())
def test_held_out_user_days_are_never_learned_and_are_one_row_each(days):
    learn, held, _ = run(days)
    keys = [
        list(zip(rows.scalar(table, "user_id").to_pylist(), rows.scalar(table, "span"), strict=True))
        for table in (learn, held)
    ]
    assert not any(held_out([user], span, CONFIG.holdout_share)[0] for user, span in keys[0])
    assert all(held_out([user], span, CONFIG.holdout_share)[0] for user, span in keys[1])
    assert len(set(keys[1])) == len(keys[1])


@settings(max_examples=20, deadline=None)
@given(event_days())
def test_prices_and_trends_come_from_days_before(days):
    learn, held, _ = run(days)
    shown = dict(zip(ITEMS["item_id"].to_pylist(), ITEMS["price"].to_pylist(), strict=True))
    for row in [*learn.to_pylist(), *held.to_pylist()]:
        span = row["span"][0]
        earlier = [event for day, table in days.items() if day < span for event in table.to_pylist()]
        for n, item in enumerate(row["item_id"]):
            paid = [
                (micros(e), e["event_id"], e["price"]) for e in earlier
                if e["item_id"] == item and e["price"] is not None
            ]  # fmt: skip
            expected = max(paid)[2] if paid else shown.get(item, np.nan)
            assert row["item_price"][n] == pytest.approx(expected, rel=1e-6, nan_ok=True)
            for window in TREND_DAYS:
                count = sum(e["item_id"] == item and micros(e) >= start_of(span - window) for e in earlier)
                assert row[f"item_trend_{window}"][n] == pytest.approx(np.log1p(count))


@settings(max_examples=20, deadline=None)
@given(event_days())
def test_day_by_day_equals_the_stretch(days):
    learn, held, state = run(days)
    parts, before = [], None
    for span, events in days.items():
        *tables, before = run({span: events}, before)
        parts.append(tables)
    assert before.digest() == state.digest()
    assert spelled(rows.concat(part[0] for part in parts)) == spelled(learn)
    assert spelled(rows.concat(part[1] for part in parts)) == spelled(held)
    assert before.spans == {span: of_table(events.sort_by("event_id")) for span, events in days.items()}


@settings(max_examples=20, deadline=None)
@given(event_days(), st.integers(0, 3))
def test_union_of_users_is_the_union_of_their_results(days, border):
    *earlier, last = days
    before = run({span: days[span] for span in earlier})[2] if earlier else None
    mine = pc.less_equal(days[last]["user_id"], f"u{border}")
    halves = [run({last: days[last].filter(mask)}, before) for mask in (mine, pc.invert(mine))]
    whole = run({last: days[last]}, before)
    for split in (0, 1):
        assert sorted(spelled(rows.concat(half[split] for half in halves))) == sorted(spelled(whole[split]))
    histories = [
        half[2].history.filter(
            pc.is_in(half[2].history["user_id"], days[last].filter(mask)["user_id"].unique())
        )
        for half, mask in zip(halves, (mine, pc.invert(mine)), strict=True)
    ]
    seen = whole[2].history.filter(pc.is_in(whole[2].history["user_id"], days[last]["user_id"].unique()))
    assert pa.concat_tables(histories).combine_chunks().equals(seen.combine_chunks())


def test_the_order_of_the_events_does_not_matter():
    days = make_events(3)
    shuffled = {
        span: table.take(pa.array(np.random.default_rng(span).permutation(table.num_rows)))
        for span, table in days.items()
    }
    one, other = run(days), run(shuffled)
    assert one[2].digest() == other[2].digest()
    assert spelled(one[0]) == spelled(other[0])


def test_rows_and_histories_are_cut_to_the_latest_taken_items():
    days = make_events(6, users=3, per_day=80)
    config = FeaturesConfig(history_items=7, row_history_items=4, holdout_share=0.0)
    whole, _, _ = run(days, config=FeaturesConfig(row_history_items=1000, holdout_share=0.0))
    learn, _, state = run(days, config=config)
    first_day = pc.list_element(learn["span"], 0).to_numpy() == FIRST_SPAN
    for short, long in zip(
        learn.filter(pa.array(first_day)).to_pylist(),
        whole.filter(pa.array(first_day)).to_pylist(),
        strict=True,
    ):
        for name in HISTORY_LISTS:
            assert short[name] == long[name][-4:]
    sizes = state.history["user_id"].value_counts().field("counts").to_pylist()
    assert sizes == [7, 7, 7]


def test_equal_timestamps_do_not_see_each_other_and_the_weightiest_behaviour_names_the_item():
    at = start_of(FIRST_SPAN) + MICROS_PER_DAY // 2
    day = events_table(
        [
            ("a", "u", "x", at, "click", None),
            ("b", "u", "x", at, "purchase", None),
            ("c", "u", "y", at, "cart", None),
            ("d", "u", "x", at + 1, "click", None),
        ]
    )
    learn, _, _ = run({FIRST_SPAN: day}, config=FeaturesConfig(holdout_share=0.0))
    first, second = learn.to_pylist()
    assert first["item_id"] == ["x", "y"]
    assert first["behavior"] == ["purchase", "cart"]
    assert first["history_item"] == []
    assert first["hour"] == [12]
    assert first["weekday"] == [0]
    assert first["event_id"] == ["a", "b", "c"]
    assert second["history_item"] == ["x", "y"]
    assert second["times_before"] == [1]


def test_behaviours_without_weight_are_not_learned():
    days = make_events(2)
    learn, held, state = run(days, weights={**DEFAULT_WEIGHTS, "click": 0.0})
    named = {*rows.flat(learn, "behavior").to_pylist(), *rows.flat(held, "behavior").to_pylist()}
    assert named == {"purchase", "cart", "favourite"}
    assert "click" not in state.history["last_behavior"].to_pylist()
    every_item = {item for table in days.values() for item in table["item_id"].to_pylist()}
    assert set(state.catalogue["item_id"].to_pylist()) == every_item


def test_an_empty_day_changes_nothing_but_the_span():
    _, _, before = run(make_events(2))
    learn, held, after = run({before.span + 1: EVENTS.empty_table()}, before)
    assert learn.num_rows == held.num_rows == 0
    assert learn.schema.names[: len(SCALARS)] == list(SCALARS)
    assert set(ITEM_LISTS) <= set(learn.schema.names)
    assert after.history.equals(before.history)
    assert after.catalogue["price_before"].equals(before.catalogue["price"])
    assert after.span == before.span + 1


def test_a_day_that_is_not_after_the_state_is_refused():
    days = make_events(2)
    _, _, state = run(days)
    with pytest.raises(ValueError, match="2024-03-05 is not after 2024-03-05"):
        run({state.span: days[state.span]}, state)


def test_timestamps_of_another_day_are_refused():
    days = make_events(1)
    with pytest.raises(ValueError, match="timestamps of other days"):
        run({FIRST_SPAN + 1: days[FIRST_SPAN]})


def test_an_item_exists_from_the_day_it_is_available_or_from_its_first_event():
    items = pa.table(
        {
            "item_id": ["early", "late", "never"],
            "available_from": pa.array(["2024-03-06", "2024-03-09", None], pa.string()),
            "price": [1.0, 2.0, 3.0],
        }
    )
    day = events_table([("a", "u", "late", start_of(FIRST_SPAN), "purchase", 5.0)])
    _, _, state = advance(None, day, FIRST_SPAN, items, None, CONFIG)
    assert state.catalogue["item_id"].to_pylist() == ["late"]
    assert state.catalogue["price"].to_pylist() == [5.0]
    assert state.catalogue["price_before"].to_pylist() == [2.0]
    _, _, state = advance(state, EVENTS.empty_table(), FIRST_SPAN + 1, items, None, CONFIG)
    assert state.catalogue["item_id"].to_pylist() == ["late", "early"]
    assert state.catalogue["first_span"].to_pylist() == [FIRST_SPAN, FIRST_SPAN + 2]


def test_an_item_that_the_table_announces_for_tomorrow_is_there_tonight():
    items = pa.table(
        {
            "item_id": ["today", "tomorrow", "later", "taken", "unknown"],
            "available_from": ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-05", None],
            "price": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    day = events_table([("a", "u", "taken", start_of(FIRST_SPAN), "purchase", 5.0)])
    rows, _, state = advance(None, day, FIRST_SPAN, items, None, CONFIG)
    assert state.catalogue["item_id"].to_pylist() == ["taken", "today", "tomorrow"]
    assert state.catalogue["first_span"].to_pylist() == [FIRST_SPAN, FIRST_SPAN, FIRST_SPAN + 1]
    assert state.catalogue["announced"].to_pylist() == [0, 0, 1]
    assert state.catalogue["price"].to_pylist() == [5.0, 1.0, 2.0]
    assert "item_announced" not in rows.column_names
    _, _, after = advance(state, EVENTS.empty_table(), FIRST_SPAN + 1, items, None, CONFIG)
    assert after.catalogue["item_id"].to_pylist() == ["taken", "today", "tomorrow", "later"]
    assert after.catalogue["announced"].to_pylist() == [0, 0, 1, 1]


def test_a_catalogue_of_before_is_found_in_a_later_one():
    rng = np.random.default_rng(0)
    days = make_events(6)
    ids = sorted({one for day in days.values() for one in day["item_id"].to_pylist()})
    from_day = [int(one) for one in rng.integers(-1, 9, len(ids))]
    dates = [None if one < 0 else f"2024-03-{4 + one:02d}" for one in from_day]
    items = pa.table({"item_id": ids, "available_from": pa.array(dates, pa.string())})
    first_event = dict(zip(ids, rng.integers(0, 9, len(ids)), strict=True))
    states: list[DataState] = []
    for span, events in days.items():
        wanted = [FIRST_SPAN + first_event[one] <= span for one in events["item_id"].to_pylist()]
        day = events.filter(pa.array(wanted))
        states.append(advance(states[-1] if states else None, day, span, items, None, CONFIG)[2])
    assert sum(pc.sum(one.catalogue["announced"]).as_py() for one in states) > 6
    for one in states:
        found = states[-1].as_of(one.span).catalogue
        assert found.select(["item_id", "first_span", "announced"]).equals(
            one.catalogue.select(["item_id", "first_span", "announced"])
        )


def test_a_catalogue_of_a_release_that_announced_nothing_goes_on():
    day = events_table([("a", "u", "x", start_of(FIRST_SPAN), "purchase", 5.0)])
    _, _, state = advance(None, day, FIRST_SPAN, None, None, CONFIG)
    old = replace(state, catalogue=state.catalogue.drop(["announced"]))
    assert old.as_of(FIRST_SPAN).catalogue.equals(old.catalogue)
    _, _, after = advance(old, EVENTS.empty_table(), FIRST_SPAN + 1, None, None, CONFIG)
    assert after.catalogue["announced"].to_pylist() == [0]


def test_the_last_day_of_an_item_is_no_feature_and_can_move():
    day = events_table([("a", "u", "x", start_of(FIRST_SPAN), "purchase", 5.0)])
    until = pa.table({"item_id": ["x"], "available_until": ["2024-03-05"]})
    rows, _, state = advance(None, day, FIRST_SPAN, until, None, CONFIG)
    assert state.catalogue["available_until"].to_pylist() == [FIRST_SPAN + 1]
    assert "item_available_until" not in rows.column_names
    moved = pa.table({"item_id": ["x"], "available_until": ["2024-04-01"]})
    for items in (moved, None):  # the item table may be gone later
        _, _, state = advance(state, EVENTS.empty_table(), state.span + 1, items, None, CONFIG)
        assert state.catalogue["available_until"].to_pylist() == [FIRST_SPAN + 28]
