"""The simulated shop: the same for the same seed, as it was told to be, and nobody beats its ground truth."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from components.events import store
from components.events.read import read_stretch
from components.simulator.config import SimulatorConfig
from components.simulator.simulate import K, simulate, truth_path, write
from components.simulator.world import World
from schemas.events import EVENTS
from schemas.home import Home
from schemas.spans import span_of

SMALL = SimulatorConfig(days=4, users=40, items=60, events_per_day=300)


def files(home: Home) -> dict[str, bytes]:
    return {str(path.relative_to(home.root)): path.read_bytes() for path in home.root.rglob("*.parquet")}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path):
    written = [write(SMALL, Home(tmp_path / name)) for name in ("a", "b")]
    assert files(Home(tmp_path / "a")) == files(Home(tmp_path / "b"))
    assert written[0]["days_written"] == SMALL.days
    assert write(SMALL, Home(tmp_path / "a"))["days_written"] == 0
    write(SMALL.model_copy(update={"seed": 1}), Home(tmp_path / "c"))
    assert files(Home(tmp_path / "c")) != files(Home(tmp_path / "a"))


def test_more_days_change_nothing_of_the_earlier_ones():
    longer = list(simulate(SMALL.model_copy(update={"days": 6})))
    for day, same in zip(simulate(SMALL), longer, strict=False):
        assert day.events.equals(same.events)
        assert day.truth.equals(same.truth)


def test_every_event_is_accepted_and_its_item_is_there(tmp_path):
    home = Home(tmp_path)
    write(SMALL, home)
    first = span_of(SMALL.start)
    read_stretch(home.events, first, first + SMALL.days - 1, tmp_path / "out")
    items = pq.read_table(home.items).to_pydict()
    available = dict(zip(items["item_id"], items["available_from"], strict=True))
    for span in range(first, first + SMALL.days):
        events, account = (
            store.read_events(tmp_path / "out", span),
            store.read_account(tmp_path / "out", span),
        )
        assert account["accepted"] == account["received"] > 0
        assert events.schema == EVENTS
        assert all(span_of(available[item]) <= span for item in events["item_id"].to_pylist())
        assert {"click", "cart", "purchase"} == set(events["behavior"].to_pylist())


def test_a_season_ends_and_returns():
    config = SMALL.model_copy(update={"days": 9, "season_every": 6, "season_days": 2, "events_per_day": 3000})
    world = World(config)
    seasonal = pa.array([f"i{n:06d}" for n in np.flatnonzero(world.items.category == 0)])
    shares = [
        pc.mean(pc.is_in(day.events["item_id"], seasonal).cast(pa.float64())).as_py()
        for day in simulate(config, world)
    ]
    inside = [share for day, share in enumerate(shares) if world.in_season(day)]
    outside = [share for day, share in enumerate(shares) if not world.in_season(day)]
    assert min(inside) > 5 * max(outside)
    assert [world.in_season(day) for day in (0, 2, 6)] == [True, False, True]


def test_news_is_wanted_while_it_is_new():
    config = SMALL.model_copy(update={"days": 12, "new_items": 0.1, "fade": 2.0})
    world = World(config)
    before, after = (world.probabilities(world.users.taste, day) for day in (8, 9))
    here = before.shape[1]
    first = world.items.first_day[:here]
    assert before[:, first == 8].mean() > 5 * before[:, first <= 3].mean()
    # Among items of one age nothing changes; two days divide the odds of older ones by e.
    odds = before[:, first == 0].sum(axis=1) / before[:, first == 8].sum(axis=1)
    ageless = World(config.model_copy(update={"fade": 0.0})).probabilities(world.users.taste, 8)
    expected = ageless[:, first == 0].sum(axis=1) / ageless[:, first == 8].sum(axis=1)
    np.testing.assert_allclose(odds, expected * np.exp(-8 / 2.0))
    assert after.shape[1] > here


def test_tastes_move_users_and_items_arrive():
    world = World(SMALL.model_copy(update={"days": 30}))
    moved = world.users.taste
    for day in range(1, 30):
        moved = world.moved(moved, day)
    closeness = (moved * world.users.taste).sum(axis=1).mean()
    assert 0.2 < closeness < 0.98
    assert world.items.first_day.max() == 29


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 5))
def test_no_list_holds_more_of_the_expected_clicks_than_the_best(seed, focus):
    config = SimulatorConfig(days=1, seed=seed, users=30, items=80, events_per_day=400, focus=focus)
    world = World(config)
    (day,) = simulate(config, world)
    chances = world.probabilities(world.users.taste, 0)
    popular = np.argsort(-chances.sum(axis=0))[:K]
    random = np.random.default_rng(seed).permutation(80)[:K]
    for user, best in zip(
        day.truth["user_id"].to_pylist(), day.truth["best_probability"].to_pylist(), strict=True
    ):
        mine = chances[int(user[1:])]
        assert mine[popular].sum() <= best + 1e-12
        assert mine[random].sum() <= best + 1e-12


def test_popularity_stays_below_the_best_possible_recall():
    config = SimulatorConfig(days=6, users=300, items=300, events_per_day=3000)
    days = list(simulate(config))
    best, popularity = [], []
    for before, day in itertools.pairwise(days):
        counts = before.events["item_id"].value_counts().to_pylist()
        popular = {one["values"] for one in sorted(counts, key=lambda one: -one["counts"])[:K]}
        taken: dict[str, set] = {}
        for user, item in zip(
            *(day.events[name].to_pylist() for name in ("user_id", "item_id")), strict=True
        ):
            taken.setdefault(user, set()).add(item)
        popularity += [len(items & popular) / len(items) for items in taken.values()]
        best += day.truth["best_recall"].to_pylist()
        assert day.truth["items_taken"].to_pylist() == [
            len(taken[user]) for user in day.truth["user_id"].to_pylist()
        ]
    assert np.mean(best) > 1.5 * np.mean(popularity) > 0


def test_the_ground_truth_lies_beside_the_data(tmp_path):
    write(SMALL, Home(tmp_path))
    assert pq.read_table(truth_path(Home(tmp_path))).num_rows > 0
    assert SMALL.start == dt.date(2024, 1, 1)
