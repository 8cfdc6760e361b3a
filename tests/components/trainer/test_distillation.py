"""Distillation: by hand, into itself, on the rows it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.replay.identity import canonical
from components.trainer.config import LearnConfig
from components.trainer.distillation import Distillation, open_to, soft_target_loss
from components.trainer.learn import learn
from components.trainer.loss import NEVER
from components.trainer.model import TwoTower
from components.trainer.state import ModelState
from components.trainer.steps import Steps
from components.trainer.trends import TrendTable
from tests.components.trainer.conftest import World

NONE = np.zeros(0, np.int64)


def test_the_soft_target_loss_by_hand() -> None:
    teacher, student = np.array([[0.0, np.log(3.0)]]), np.array([[0.0, 0.0]])
    expected = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    got = soft_target_loss(tf.constant(teacher, tf.float32), tf.constant(student, tf.float32), 1.0)
    assert got.numpy() == pytest.approx([expected], rel=1e-5)
    hot = soft_target_loss(tf.constant(2 * teacher, tf.float32), tf.constant(student, tf.float32), 2.0)
    assert hot.numpy() == pytest.approx([4 * expected], rel=1e-5)


def step_of(world: World) -> dict[str, tf.Tensor]:
    rows = canonical(world.first.new)
    steps = Steps(world.base.state, rows, world.first.data, world.config)
    arrays = steps.step(np.arange(40), np.random.default_rng(0))
    days = world.first.data.item_days
    trends = TrendTable(days, steps.catalogue, int(steps.spans.min()), int(steps.spans.max()))
    arrays |= trends.distinct_days(arrays["span"])
    inputs = {name: tf.constant(one) for name, one in arrays.items() if name != "span"}
    return {**inputs, **trends.of_step(inputs)}


def test_rows_choose_from_their_positives_and_negatives_and_their_own(world: World) -> None:
    inputs, model = step_of(world), TwoTower(world.base.state)
    logits = model.logits(inputs)
    shared, own = open_to(logits, inputs)
    expected = ~inputs["candidate_excluded"].numpy()
    positive = inputs["positive"].numpy()
    assert not expected[positive[:, 0], positive[:, 1]].any()
    expected[positive[:, 0], positive[:, 1]] = True
    assert not expected.all()
    assert np.array_equal(shared > NEVER, expected)
    assert own is logits[1]


def gradients(teacher: ModelState, student: ModelState, world: World) -> tuple[float, float]:
    """The loss and the largest entry of its gradient."""
    inputs, model = step_of(world), TwoTower(student)
    distillation = Distillation(TwoTower(teacher), 1.0, 2.0, NONE)
    with tf.GradientTape() as tape:
        loss = distillation.loss(model.logits(inputs), inputs, tf.ones(40))
    variables = [*model.table_variables.values(), *model.dense_variables.values()]
    found = [tf.convert_to_tensor(one) for one in tape.gradient(loss, variables) if one is not None]
    return float(loss), max(float(tf.reduce_max(tf.abs(one))) for one in found)


def test_a_model_distilled_into_itself_has_no_gradient(world: World) -> None:
    loss, largest = gradients(world.base.state, world.base.state, world)
    assert loss == pytest.approx(0.0, abs=1e-4)
    assert largest == pytest.approx(0.0, abs=1e-4)
    moved = learn(world.base.state, world.next_day, world.config).state
    loss, largest = gradients(world.base.state, moved, world)
    assert loss > 0.1
    assert largest > 0.01


def test_replayed_rows_have_soft_targets_and_without_replay_all(world: World) -> None:
    spans = np.array([5, 7, 5, 6])
    one = Distillation(TwoTower(world.base.state), 1.0, 1.0, np.array([6, 7]))
    assert one.rows(spans).tolist() == [1.0, 0.0, 1.0, 0.0]
    assert replace(one, new_spans=NONE).rows(spans).tolist() == [1.0] * 4


def divergence(world: World, **changes: object) -> float:
    """How far a day without replay moves what the model says of the days before."""
    alone = replace(world.next_day, replay=world.next_day.replay.slice(0, 0))
    after = learn(world.base.state, alone, world.config.model_copy(update=changes)).state
    return gradients(world.base.state, after, world)[0]


def test_it_keeps_a_day_without_replay_near_its_base(world: World) -> None:
    free, held = divergence(world), divergence(world, distill=10.0)
    assert held < 0.8 * free
    assert divergence(world, distill=10.0, pull=1e3) < held


def test_a_first_model_has_no_teacher_and_off_is_the_default(world: World) -> None:
    first = learn(None, world.first, world.config.model_copy(update={"distill": 10.0})).state
    np.testing.assert_array_equal(first.weights["item/id"], world.base.state.weights["item/id"])
    assert LearnConfig().distill == 0.0
