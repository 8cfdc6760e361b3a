"""Moving moments by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.learn import learn
from components.trainer.model import LIMIT, ItemTower, Scaler
from components.trainer.moments import DECAY, FIRST_LAYERS, Moments, rescaled
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from tests.components.trainer.conftest import World


def test_first_values_give_their_own_moments() -> None:
    values = np.array([1.0, np.nan, 3.0, -2.0])
    logs = np.array([np.log(2), np.log(4), -np.log(3)])
    got = Moments().update(values)
    assert (got.count, got.mean, got.variance) == (3.0, pytest.approx(logs.mean()), pytest.approx(logs.var()))


def test_later_values_are_pooled_with_the_decayed_earlier_ones() -> None:
    first, second = np.expm1([1.0, 2.0]), np.expm1([5.0])
    got = Moments().update(first).update(second)
    weights, logs = np.array([DECAY, DECAY, 1.0]), np.array([1.0, 2.0, 5.0])
    mean = np.average(logs, weights=weights)
    assert got.mean == pytest.approx(mean)
    assert got.variance == pytest.approx(np.average((logs - mean) ** 2, weights=weights))


def test_no_value_changes_nothing() -> None:
    assert Moments().update(np.array([np.nan])) == Moments()


def test_missing_is_the_mean_and_outliers_are_clipped() -> None:
    scaler = Scaler([Moments(10, mean=1.0, variance=4.0)])
    got = scaler(np.array([[np.nan], [np.expm1(3.0)], [1e30]], np.float32)).numpy()[:, 0]
    assert got == pytest.approx([0.0, 1.0, 5.0], rel=1e-5)


def test_missing_keeps_its_place_when_the_mean_moves() -> None:
    first = Moments().update(np.expm1([1.0, 3.0]))
    assert Scaler([first])(np.array([[np.nan]], np.float32)).numpy() == 0.0
    later = first.update(np.expm1([8.0])).update(np.expm1([9.0]))
    place = (2.0 - later.mean) / later.deviation
    assert Scaler([later])(np.array([[np.nan]], np.float32)).numpy() == pytest.approx(place, rel=1e-5)


def with_moved_moments(state: ModelState, by: float) -> ModelState:
    """The state after many values that lie elsewhere, its first layers rescaled."""
    values = np.random.default_rng(0).normal(4.0 * by, 1.0 + by, 5000)
    moved = {
        name: one.update(np.sign(values) * np.expm1(np.abs(values))) for name, one in state.moments.items()
    }
    numbers = {"user": state.spec.user_numbers, "item": state.spec.item_numbers}
    assert all(numbers.values())
    weights = rescaled(state.weights, numbers, state.moments, moved)
    assert not np.array_equal(weights["item/hidden/kernel"], state.weights["item/hidden/kernel"])
    return replace(state, weights=weights, moments=moved)


def ordinary(state: ModelState, tower: str, clipped: bool = False) -> np.ndarray:
    """float32 [50, columns] of log-compressed values within the clip, a few missing."""
    rng = np.random.default_rng(1)
    columns = [one for name, one in state.moments.items() if name.startswith(tower)]
    reach = 3 * LIMIT if clipped else 2.0
    logs = np.stack([one.mean + reach * one.deviation * rng.uniform(-1, 1, 50) for one in columns], axis=1)
    values = np.sign(logs) * np.expm1(np.abs(logs))
    values[rng.random(values.shape) < 0.2] = np.nan
    return values.astype(np.float32)


def vectors(state: ModelState, numbers: np.ndarray) -> np.ndarray:
    tower = ItemTower(state)
    represented = tower.represent(tf.range(50) % 9, tf.zeros((50, len(state.spec.item_categories)), tf.int32))
    return tower(represented, tf.constant(numbers)).numpy()


def test_the_function_does_not_move_with_the_moments(world: World) -> None:
    before = world.base.state
    after = with_moved_moments(before, 0.5)
    numbers = ordinary(before, "item")
    scaled = [np.abs(ItemTower(one).scaler(numbers).numpy()).max() for one in (before, after)]
    assert max(scaled) < LIMIT, "nothing is clipped, before or after"
    np.testing.assert_allclose(vectors(after, numbers), vectors(before, numbers), atol=2e-6)
    naive = replace(before, moments=after.moments)
    assert np.abs(vectors(naive, numbers) - vectors(before, numbers)).max() > 1e-3


def test_all_scores_stay_where_they_were(world: World) -> None:
    """Both towers, the whole path: scores of real rows, whose values lie within the clip."""
    before = world.base.state
    after = with_moved_moments(before, 0.2)
    rows, items = world.first.held_out, ["i003"] * world.first.held_out.num_rows
    scores = [Scorer(one, world.first.data).score(rows, items) for one in (before, after)]
    np.testing.assert_allclose(scores[1], scores[0], atol=2e-5)


def test_beyond_the_clip_it_is_not_exact(world: World) -> None:
    before = world.base.state
    after = with_moved_moments(before, 0.5)
    numbers = ordinary(before, "item", clipped=True)
    assert np.abs(vectors(after, numbers) - vectors(before, numbers)).max() > 1e-4


def test_a_learn_rescales_before_it_trains(world: World) -> None:
    """With a pull without end a day moves the moments alone: dense layers are the rescaled ones."""
    before = world.base.state
    after = learn(before, world.next_day, world.config.model_copy(update={"pull": 1e12})).state
    assert after.moments != before.moments
    numbers = {"user": before.spec.user_numbers, "item": before.spec.item_numbers}
    expected = rescaled(before.weights, numbers, before.moments, after.moments)
    for layer in (one for layers in FIRST_LAYERS.values() for one in layers):
        np.testing.assert_allclose(after.weights[f"{layer}/bias"], expected[f"{layer}/bias"], atol=1e-6)
        np.testing.assert_allclose(after.weights[f"{layer}/kernel"], expected[f"{layer}/kernel"], atol=1e-6)


def test_a_quantity_without_a_value_so_far_moves_nothing() -> None:
    weights = {f"{layer}/{part}": np.ones((3, 2) if part == "kernel" else 2, np.float32)
               for layer in ("item/hidden",) for part in ("kernel", "bias")}  # fmt: skip
    moved = rescaled(
        weights, {"user": (), "item": ("x",)}, {"item:x": Moments()}, {"item:x": Moments(9.0, 5.0, 4.0)}
    )
    assert all(np.array_equal(moved[name], weights[name]) for name in weights)


def test_a_quantity_that_varies_for_the_first_time_moves_no_score_far():
    """Its kernel has learned nothing: it stays, and so does the function at the one value there was."""
    before = Moments().update(np.zeros(100))
    after = before.update(np.concatenate([np.zeros(80), np.full(20, 0.4)]))
    rng = np.random.default_rng(0)
    weights = {
        "item/hidden/kernel": rng.normal(size=(4, 3)).astype(np.float32),
        "item/hidden/bias": rng.normal(size=3).astype(np.float32),
    }
    names = {"item": ["discount"], "user": []}
    moved = rescaled(weights, names, {"item:discount": before}, {"item:discount": after})
    np.testing.assert_array_equal(moved["item/hidden/kernel"], weights["item/hidden/kernel"])
    at_nothing = (0.0 - after.mean) / after.deviation
    np.testing.assert_allclose(
        moved["item/hidden/bias"] + at_nothing * moved["item/hidden/kernel"][-1],
        weights["item/hidden/bias"],
        rtol=1e-5,
    )
