"""Averages of the user tower: the mean by hand, and that learning goes on as if nothing were averaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.averages import RUNNING, Averages, of_optimizer, running
from components.trainer.learn import learn
from components.trainer.state import ModelState
from components.trainer.weights import tables
from tests.components.trainer.conftest import World


def means_after(values: list[float], horizon: int, steps_before: int = 0, start: float = 0.0) -> np.ndarray:
    variable = tf.Variable([0.0])
    averages = Averages({"kernel": variable}, {"kernel": np.array([start], np.float32)}, horizon)
    for step, value in enumerate(values, start=steps_before + 1):
        variable.assign([value])
        averages.add(tf.constant(float(step)))
    assert averages.slots()[RUNNING + "kernel"] == values[-1]
    return averages.served()["kernel"]


def test_the_first_steps_have_their_plain_mean() -> None:
    assert means_after([3.0, 5.0, 1.0], horizon=4, start=100.0) == pytest.approx([3.0])


def test_later_steps_weigh_one_of_the_horizon() -> None:
    assert means_after([3.0, 5.0, 7.0], horizon=2) == pytest.approx([(4.0 + 7.0) / 2])
    assert means_after([8.0, 0.0], horizon=4, steps_before=1000, start=4.0) == pytest.approx([5.0 - 1.25])


def test_a_horizon_of_one_averages_nothing() -> None:
    variable = {"kernel": tf.Variable([1.0])}
    averages = Averages(variable, {"kernel": np.zeros(1, np.float32)}, 1)
    averages.add(tf.constant(5.0))
    assert averages.served() == {}
    assert averages.slots() == {}


def twice(world: World, average_steps: int) -> list[ModelState]:
    """The first model and the one after the next day."""
    config = world.config.model_copy(update={"average_steps": average_steps})
    first = learn(None, world.first, config).state
    return [first, learn(first, world.next_day, config).state]


def test_learning_goes_on_from_the_last_step_as_if_nothing_were_averaged(world: World) -> None:
    """Through a day that moves the moments, too: both copies of a first layer are rescaled."""
    for averaged, plain in zip(twice(world, 7), twice(world, 1), strict=True):
        last = running(averaged.weights, averaged.slots)
        assert last.keys() == plain.weights.keys()
        for name, array in plain.weights.items():
            assert np.array_equal(last[name], array), name
        assert of_optimizer(averaged.slots).keys() == plain.slots.keys()
        query = {name for name in set(plain.weights) - set(tables(plain.spec)) if name.startswith("user/")}
        assert {name.removeprefix(RUNNING) for name in averaged.slots if RUNNING in name} == query
        for name, array in plain.weights.items():
            assert np.array_equal(averaged.weights[name], array) == (name not in query), name


def test_what_is_served_lies_nearer_to_the_base_than_the_last_step(world: World) -> None:
    first, after = twice(world, 60)
    last = running(after.weights, after.slots)
    for name in ("user/hidden/kernel", "user/out/kernel", "user/trend/bias"):
        of_mean = np.linalg.norm(after.weights[name] - first.weights[name])
        assert of_mean < np.linalg.norm(last[name] - first.weights[name]), name


def test_a_base_of_before_averages_starts_from_its_weights(world: World) -> None:
    plain = twice(world, 1)[0]
    config = world.config.model_copy(update={"average_steps": 60})
    after = learn(replace(plain, config=config), world.next_day, config).state
    unaveraged = learn(plain, world.next_day, plain.config).state
    last = running(after.weights, after.slots)
    assert all(np.array_equal(last[name], array) for name, array in unaveraged.weights.items())
