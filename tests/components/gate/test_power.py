"""The gate, measured: how often it rejects a model that is only another seed, how often it misses a loss."""

import numpy as np
import pytest

from components.gate.config import GateConfig
from components.gate.power import plant_loss, rejected_share, simulated_pair
from components.trainer.config import LearnConfig

CONFIG = GateConfig()
OLD_ROWS = LearnConfig().old_task_rows
A_WEEK = 250  # held-out user-days of a week of Complete Journey
PAIRS = 100


def pair(seed: int):
    return simulated_pair(seed, OLD_ROWS, A_WEEK, users=1800)


def test_another_seed_is_rejected_at_most_5_times_in_100():
    assert rejected_share(pair, PAIRS, CONFIG) <= 0.05


def test_a_planted_loss_of_10_percent_on_old_tasks_is_caught_at_least_95_times_in_100():
    assert rejected_share(lambda seed: plant_loss(pair(seed), "old", 0.10, seed), PAIRS, CONFIG) >= 0.95


def test_a_bare_comparison_of_means_would_not_do():
    """Without the interval every other seed pair would count as a loss: the test above can fail."""
    fallen = [
        np.mean(one["candidate/recall_at_20"].to_numpy()) < np.mean(one["champion/recall_at_20"].to_numpy())
        for one in map(pair, range(30))
    ]
    assert 0.2 < np.mean(fallen) < 0.8


def test_planting_takes_the_share_of_hits_from_one_task_only():
    before = simulated_pair(1, 5000, 5000, users=1000)
    after = plant_loss(before, "old", 0.10, seed=2)
    old = np.array(before["task"].to_pylist()) == "old"
    ratio = (
        after["candidate/recall_at_20"].to_numpy()[old].sum()
        / before["candidate/recall_at_20"].to_numpy()[old].sum()
    )
    assert ratio == pytest.approx(0.90, abs=0.01)
    unchanged = after["candidate/recall_at_20"].to_numpy()[~old]
    np.testing.assert_allclose(unchanged, before["candidate/recall_at_20"].to_numpy()[~old])
