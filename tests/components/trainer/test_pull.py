"""The pull toward the base: by hand, without end, and by what mattered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.config import LearnConfig
from components.trainer.learn import learn, tiny_day
from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR, fisher
from components.trainer.pull import Pull, ewc, l2
from components.trainer.state import ModelState
from tests.components.trainer.conftest import World

BASE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
MOVED = BASE + np.float32(1.0)


def pulled(strength: np.ndarray, rows: list[int] | None = None) -> np.ndarray:
    variable = tf.Variable(MOVED)
    gradient = tf.zeros_like(variable)
    if rows is not None:
        gradient = tf.IndexedSlices(tf.zeros((len(rows), 2)), tf.constant(rows))
    Pull({"x": BASE}, {"x": strength}).apply("x", variable, gradient)
    return variable.numpy()


def test_a_strength_of_one_goes_half_the_way_back() -> None:
    np.testing.assert_array_equal(pulled(np.float32(1.0)), BASE + 0.5)


def test_only_rows_that_the_step_touched_are_pulled_and_once() -> None:
    after = pulled(np.float32(1.0), rows=[2, 0, 2])
    np.testing.assert_array_equal(after, [BASE[0] + 0.5, MOVED[1], BASE[2] + 0.5])


def test_ewc_holds_what_mattered_and_lets_go_of_the_rest() -> None:
    mattered = {"x": np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])}
    after = pulled(ewc({"x": 0.1}, mattered, 1e12)["x"])
    np.testing.assert_array_equal(after, np.where(mattered["x"] > 0, BASE, MOVED))


def test_l2_pulls_all_alike_by_rate_and_strength() -> None:
    strengths = l2({"x": 0.5, "y": 0.25}, 4.0)
    assert {name: float(one) for name, one in strengths.items()} == {"x": 2.0, "y": 1.0}


def test_the_fisher_information_is_the_mean_squared_gradient(world: World) -> None:
    state = world.base.state
    found = fisher(state.slots, state.weights)
    assert found.keys() == state.weights.keys()
    assert all(found[name].shape == state.weights[name].shape for name in found)
    assert all((one > -1e-6).all() for one in found.values())
    steps = state.slots["adagrad/iterations"]
    slot = state.slots[ACCUMULATOR + "item/id"]
    np.testing.assert_allclose(found["item/id"] * steps, slot - INITIAL_ACCUMULATOR, atol=1e-6)
    assert found["item/id"].max() > 0


def moved_by(world: World, **changes: object) -> float:
    """How far a day moves the base's item rows."""
    after = learn(world.base.state, world.next_day, world.config.model_copy(update=changes)).state
    return distance(world.base.state, after)


def distance(before: ModelState, after: ModelState) -> float:
    return float(
        np.abs(after.weights["item/id"][: len(before.weights["item/id"])] - before.weights["item/id"]).max()
    )


def test_a_pull_without_end_moves_nothing(world: World) -> None:
    free = moved_by(world)
    assert free > 0
    assert moved_by(world, pull=1e12) == pytest.approx(0.0, abs=1e-6)
    assert 0 < moved_by(world, pull=100.0) < free


def test_ewc_moves_less_than_nothing_pulled_and_a_first_model_is_not_pulled(world: World) -> None:
    assert 0 < moved_by(world, pull=1e4, pull_by="ewc") < moved_by(world)
    first = learn(None, world.first, world.config.model_copy(update={"pull": 1e12})).state
    assert distance(world.base.state, first) == 0.0


def test_a_tiny_day_takes_small_steps(world: World) -> None:
    assert [tiny_day(rows, 64) for rows in (0, 16, 64, 500)] == [0.0, 0.5, 1.0, 1.0]
    few = replace(
        world.next_day, new=world.next_day.new.slice(0, 4), replay=world.next_day.replay.slice(0, 0)
    )
    whole = world.config.model_copy(update={"batch_rows": 4})
    full = distance(world.base.state, learn(world.base.state, few, whole).state)
    small = distance(world.base.state, learn(world.base.state, few, world.config).state)
    assert small == pytest.approx(0.5 * full, rel=0.05)


def test_no_pull_is_the_default() -> None:
    assert LearnConfig().pull == 0.0
