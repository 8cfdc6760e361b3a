"""Both views by hand, and against a ranking from which the had items are really taken out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from components.backtest.asked import Asked
from components.backtest.config import BacktestConfig
from components.backtest.walk import Source, ask, prepare
from components.events.config import BehaviorWeights
from components.features import rows as layout
from components.features.advance import advance
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

DAYS = 6
EVENTS = make_events(days=DAYS + 1, per_day=80)
SOURCE = Source(
    EVENTS.__getitem__, make_items(), make_users(), FeaturesConfig(), BehaviorWeights().model_dump()
)
SPAN = FIRST_SPAN + DAYS


class Scores:
    """Ranks by one fixed score a (user, item), with ties; optionally some items of each user taken out."""

    def __init__(self, data: DataState, without: dict[str, set[str]] | None = None) -> None:
        self.items = data.catalogue.column("item_id").to_pylist()
        self.without = without or {}

    def ranks(self, rows: pa.Table) -> np.ndarray:
        ranks = []
        for (user,), wanted in zip(rows["user_id"].to_pylist(), rows["item_id"].to_pylist(), strict=True):
            rng = np.random.default_rng(int(user[1:]))
            score = dict(zip(self.items, rng.integers(0, 12, len(self.items)), strict=True))
            pool = [score[item] for item in self.items if item not in self.without.get(user, ())]
            last = len(self.items) + 1
            ranks += [sum(one >= score[item] for one in pool) if item in score else last for item in wanted]
        return np.array(ranks, np.int64)


@pytest.fixture(scope="module")
def before() -> DataState:
    state = None
    for span in range(FIRST_SPAN, SPAN):
        _, _, state = advance(
            state, EVENTS[span], span, SOURCE.items, SOURCE.users, SOURCE.features, SOURCE.weights
        )
    assert state is not None
    return state


@pytest.fixture(scope="module")
def asked(before: DataState) -> Asked:
    return ask(SOURCE, before, EVENTS[SPAN], SPAN)


def had_of(data: DataState) -> dict[str, set[str]]:
    had: dict[str, set[str]] = {}
    for user, item in zip(
        data.history["user_id"].to_pylist(), data.history["item_id"].to_pylist(), strict=True
    ):
        had.setdefault(user, set()).add(item)
    return had


def test_every_user_of_the_day_who_was_seen_before_is_asked_once(before: DataState, asked: Asked) -> None:
    today = set(EVENTS[SPAN]["user_id"].to_pylist())
    users = layout.scalar(asked.rows, "user_id").to_pylist()
    assert sorted(users) == sorted(today & had_of(before).keys())


def test_the_hour_of_the_visit_is_not_told(asked: Asked) -> None:
    assert set(layout.scalar(asked.rows, "hour").tolist()) == {-1}


def test_relevant_items_are_the_days_and_had_items_are_all_of_the_past(
    before: DataState, asked: Asked
) -> None:
    had, items = had_of(before), layout.flat(asked.rows, "item_id").to_pylist()
    users = layout.scalar(asked.rows, "user_id").to_pylist()
    today: dict[str, set[str]] = {}
    for event in EVENTS[SPAN].to_pylist():
        today.setdefault(event["user_id"], set()).add(event["item_id"])
    for row, user in enumerate(users):
        mine = np.flatnonzero(asked.owner == row)
        assert {items[n] for n in mine if asked.relevant[n]} == today[user]
        assert {items[n] for n in mine if asked.had[n]} == had[user]
        assert len(mine) == len(today[user] | had[user])


def test_what_an_earlier_version_kept_is_read(asked: Asked, tmp_path: Path) -> None:
    asked.save(tmp_path / "kept")
    path = tmp_path / "kept" / "items.parquet"
    pq.write_table(pq.read_table(path).drop(["taken"]), path)
    found = Asked.load(tmp_path / "kept")
    assert np.array_equal(found.relevant, asked.relevant)
    assert np.array_equal(found.taken, asked.known)


def test_the_new_view_equals_a_ranking_without_the_had_items(before: DataState, asked: Asked) -> None:
    views = {view: (chosen, ranks) for view, chosen, ranks in asked._views(Scores(before).ranks(asked.rows))}
    chosen, ranks = views["new"]
    assert chosen.any()
    without = Scores(before, had_of(before)).ranks(asked.rows)
    np.testing.assert_array_equal(ranks[chosen], without[chosen])


def test_the_all_view_is_the_plain_ranking_of_relevant_items(before: DataState, asked: Asked) -> None:
    plain = Scores(before).ranks(asked.rows)
    measured = asked.measure(Scores(before), ("recall_at_3",))
    hits, rows = [], asked.rows.num_rows
    for row in range(rows):
        mine = (asked.owner == row) & asked.relevant
        hits.append((plain[mine] <= 3).sum() / min(3, mine.sum()))
    assert measured["recall_at_3_all"] == pytest.approx(np.mean(hits))
    assert measured["rows_all"] == rows


def test_an_item_that_nobody_saw_before_stays_relevant_and_cannot_be_hit(before: DataState) -> None:
    """One more relevant item that the catalogue lacks lowers recall; it does not vanish from the row."""
    event = EVENTS[SPAN].slice(0, 1)
    known = set(before.history["user_id"].to_pylist())
    assert event["user_id"][0].as_py() in known
    unheard = event.set_column(2, event.schema.field("item_id"), pa.array(["unheard of"]))
    row = ask(SOURCE, before, unheard, SPAN)
    assert row.measure(Scores(before), ("recall_at_20",)) == {
        "rows_all": 1.0, "recall_at_20_all": 0.0, "rows_new": 1.0, "recall_at_20_new": 0.0,
        "rows_taken": 1.0, "recall_at_20_taken": 0.0,
    }  # fmt: skip


def test_a_hit_of_an_item_that_nobody_took_before_is_none_in_the_view_of_the_taken(before: DataState) -> None:
    event = EVENTS[SPAN].slice(0, 1)
    item = event["item_id"][0].as_py()
    items, late = SOURCE.items, pa.array([f"2024-03-{4 + DAYS:02d}"] * SOURCE.items.num_rows)
    source = replace(SOURCE, items=items.append_column("available_from", late))
    states: list[DataState | None] = [None]
    for span in range(FIRST_SPAN, SPAN):
        others = EVENTS[span].filter(pc.not_equal(EVENTS[span]["item_id"], item))
        states.append(
            advance(states[-1], others, span, source.items, None, source.features, source.weights)[2]
        )
    tonight = states[-1]
    assert tonight is not None
    row = ask(source, tonight, event, SPAN)
    measured = row.measure(Scores(tonight), ("recall_at_1000",))
    assert measured["recall_at_1000_all"] == 1.0
    assert measured["recall_at_1000_taken"] == 0.0


def test_a_saved_question_is_the_same_question(asked: Asked, before: DataState, tmp_path) -> None:
    asked.save(tmp_path / "one")
    loaded = Asked.load(tmp_path / "one")
    metrics = ("recall_at_5", "ndcg_at_5", "mrr")
    assert loaded.measure(Scores(before), metrics) == asked.measure(Scores(before), metrics)


def test_a_withdrawn_item_is_out_of_reach_in_both_views(before: DataState) -> None:
    """Else it would count as a hit among the new items of those who had almost everything."""
    one = before.catalogue["item_id"][0].as_py()
    until = pa.array([SPAN - 1, *[None] * (before.catalogue.num_rows - 1)], pa.int64())
    withdrawn = replace(before, catalogue=before.catalogue.append_column("available_until", until))
    rows = ask(SOURCE, before, EVENTS[SPAN], SPAN).rows
    items = np.array(layout.flat(rows, "item_id").to_pylist())
    assert (items == one).any()
    known = Asked.of(rows, before).known
    np.testing.assert_array_equal(Asked.of(rows, withdrawn).known, known & (items != one))


def test_peers_are_tuned_on_as_many_days_as_it_takes_to_have_enough_users(tmp_path: Path) -> None:
    def days(rows: int) -> list[int]:
        config = BacktestConfig(start=SPAN, days=1, bootstrap_days=DAYS, tune_days=(1,), tune_rows=rows)
        return sorted(SPAN - span for span in prepare(SOURCE, config, tmp_path / str(rows)).tuning)

    users = len(EVENTS[SPAN - 1]["user_id"].unique())
    assert days(users) == [1]
    assert days(users + 1) == [1, 2]
    assert days(10**6) == list(range(1, DAYS))
