"""Keras is given the same steps as `learn`: its pipeline in TensorFlow against ours in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.throughput.keras_pipeline import Batch, dataset
from components.replay.identity import canonical
from components.trainer.model import TwoTower
from components.trainer.steps import Steps
from components.trainer.trends import TrendTable
from tests.components.trainer.conftest import World, with_late, world  # noqa: F401

CHOSEN = np.arange(0, 200, 13)


@pytest.fixture(scope="module")
def steps(world: World) -> Steps:  # noqa: F811
    nothing_forgotten = world.config.model_copy(update={"unknown_rate": 0.0})
    data = with_late(world.first.data, slice(None, None, 3), world.first.data.span)
    return Steps(world.base.state, canonical(world.first.new), data, nothing_forgotten)


@pytest.fixture(scope="module")
def trends(world: World, steps: Steps) -> TrendTable:  # noqa: F811
    spans = int(steps.spans.min()), int(steps.spans.max())
    return TrendTable(world.first.data.item_days, steps.catalogue, *spans)


def test_a_batch_of_the_pipeline_is_the_step_of_learn(steps: Steps, trends: TrendTable) -> None:
    expected = steps.step(CHOSEN, np.random.default_rng(0))
    items = len(steps.catalogue.ids)
    uniform = np.random.default_rng(0).integers(1, items, steps.config.uniform_negatives, dtype=np.int32)
    found = Batch(steps, trends).of(tf.constant(CHOSEN), tf.constant(uniform))
    assert expected["history_weight"].any()
    assert expected["positive_weight"].any()
    assert expected["candidate_excluded"].any()
    shared = found.keys() & expected.keys()
    # Days and positions stand for the trends, which the pipeline looks up itself.
    assert expected.keys() - shared == {"span", "candidate_position", "history_position"}
    assert found.keys() - shared == {"day_of", "candidate_trend", "history_trend"}
    for name in shared - {"hour"}:  # the step hides some hours by lot
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, err_msg=name)


def test_keras_learns_through_the_pipeline(world: World, steps: Steps, trends: TrendTable) -> None:  # noqa: F811
    model = TwoTower(world.base.state)
    model.compile(tf.keras.optimizers.Adagrad(0.05))
    fitted = model.fit(dataset(steps, trends, seed=0), epochs=3, verbose=0)
    assert fitted.history["loss"][-1] < fitted.history["loss"][0]
    moved = {
        name for name, array in model.arrays().items() if (array != world.base.state.weights[name]).any()
    }
    assert {"user/id", "item/id", "item/out/kernel", "repeat/linear/kernel"} <= moved
