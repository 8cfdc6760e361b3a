"""The λ-weighted objective."""

from __future__ import annotations

import numpy as np
import pytest

from components.replay.identity import canonical
from components.trainer.objective import row_weights
from components.trainer.steps import Steps
from tests.components.trainer.conftest import World


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("olds", [1, 30, 99])
def test_it_is_lambda_times_the_old_mean_and_the_rest_the_new_mean(share: float, olds: int) -> None:
    rng = np.random.default_rng(olds)
    old = rng.permutation(np.arange(100) < olds)
    losses = rng.random(100)
    expected = share * losses[old].mean() + (1 - share) * losses[~old].mean()
    assert (row_weights(old, share) * losses).mean() == pytest.approx(expected, rel=1e-5)


def test_it_is_exact_in_expectation_over_the_slice() -> None:
    rng = np.random.default_rng(0)
    memory, new = rng.random(50), rng.random(10)
    old = np.arange(15) < 5
    weights = row_weights(old, 0.3)
    drawn = [np.concatenate([rng.choice(memory, 5, replace=False), new]) for _ in range(4000)]
    mean = np.mean([(weights * losses).mean() for losses in drawn])
    assert mean == pytest.approx(0.3 * memory.mean() + 0.7 * new.mean(), abs=0.005)


def test_a_day_without_replay_is_learned_as_it_is() -> None:
    assert row_weights(np.zeros(3, bool), 0.9).tolist() == [1.0, 1.0, 1.0]
    assert row_weights(np.zeros(0, bool), 0.9).tolist() == []


def test_a_lambda_of_one_leaves_the_new_unlearned(world: World) -> None:
    rows = canonical(world.first.new)
    old = np.arange(rows.num_rows) % 3 == 0
    weights = row_weights(old, 1.0)
    steps = Steps(world.base.state, rows, world.first.data, world.config, weights)
    arrays = steps.step(np.arange(30), np.random.default_rng(0))
    own = np.bincount(arrays["owner"], arrays["history_weight"], minlength=30)
    of_row = np.bincount(arrays["positive"][:, 0], arrays["positive_weight"], minlength=30) + own
    assert ((of_row > 0) == old[:30]).all()
