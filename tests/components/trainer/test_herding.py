"""Exemplars: who has how many places, and which rows stand best for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from components.features.rows import scalar
from components.replay.identity import canonical_order
from components.trainer.herding import herded, rarest_items, shared_out
from components.trainer.learn import learn
from tests.components.trainer.conftest import World


def test_by_hand() -> None:
    """The mean is 2: first 2 itself; then (1 + 2) / 2 and (3 + 2) / 2 are as close, and the first is taken;
    then (2 + 1 + 3) / 3 is the mean again."""
    assert herded(np.array([[1.0], [3.0], [2.0], [2.0 + 6.0], [-4.0]]), 3).tolist() == [2, 0, 1]


def test_exemplars_stand_for_all_better_than_a_draw() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(200, 8))
    mean = vectors.mean(axis=0)
    of_draws = [
        np.linalg.norm(vectors[rng.choice(200, 10, replace=False)].mean(axis=0) - mean) for _ in range(200)
    ]
    chosen = herded(vectors, 10)
    assert len(set(chosen.tolist())) == 10
    assert np.linalg.norm(vectors[chosen].mean(axis=0) - mean) < min(of_draws)


def test_all_rows_where_there_are_places_for_all() -> None:
    assert sorted(herded(np.eye(3), 5).tolist()) == [0, 1, 2]


def test_places_by_highest_averages_and_what_one_cannot_fill_goes_to_the_others() -> None:
    weights = np.array([5.0, 3.0, 2.0])
    assert shared_out(weights, np.array([9, 9, 9]), 4).tolist() == [2, 1, 1]
    assert shared_out(weights, np.array([1, 9, 9]), 6).tolist() == [1, 3, 2]


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 20)), min_size=1, max_size=30),
    st.integers(1, 300),
)
def test_all_places_are_given_and_no_limit_is_passed(items: list[tuple[int, int]], count: int) -> None:
    weights, limits = np.array(items, np.float64).T
    places = shared_out(weights, limits.astype(np.int64), count)
    assert places.sum() == min(count, limits.sum())
    assert (places <= limits).all()


def test_a_row_stands_for_the_rarest_of_its_items(world: World) -> None:
    rows, data = world.first.new, world.first.data
    whose, popularity = rarest_items(rows, data)
    for row, events in zip(rows["item_id"].to_pylist(), popularity[whose], strict=True):
        of_row = [
            sum(data.item_days.filter(pc.equal(data.item_days["item_id"], item))["events"].to_pylist())
            for item in row
        ]
        assert events == max(min(of_row), 1)


def test_learning_keeps_exemplars_of_old_and_new(world: World) -> None:
    replay = world.config.replay.model_copy(update={"memory": "herding", "capacity": 60})
    config = world.config.model_copy(update={"replay": replay})
    first = learn(None, world.first, config).state
    after = learn(first, replace(world.next_day, replay=first.buffer.slice(0, 10)), config).state
    for state in (first, after):
        assert state.buffer.num_rows == 60
        assert canonical_order(state.buffer).tolist() == list(range(60))
    spans = set(scalar(after.buffer, "span").tolist())
    assert max(after.spans_learned) in spans
    assert spans & set(first.spans_learned)
    again = learn(first, replace(world.next_day, replay=first.buffer.slice(0, 10)), config).state
    assert again.digest() == after.digest()
