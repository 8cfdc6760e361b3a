"""Matrices small enough to work by hand."""

import numpy as np
import pytest

from components.backtest import continual

NAN = float("nan")

ACCURACY = np.array(
    [
        [0.90, 0.30, NAN],
        [0.95, 0.80, 0.40],
        [0.70, 0.85, 0.60],
    ]
)
"""Task 0 reaches .95 after task 1 and ends at .70: the alarm of 90 → 70. Task 1 ends above its own turn."""


def test_average_accuracy_is_the_last_row() -> None:
    assert continual.average_accuracy(ACCURACY) == pytest.approx((0.70 + 0.85 + 0.60) / 3)


def test_backward_transfer_compares_the_end_with_each_tasks_own_turn() -> None:
    assert continual.backward_transfer(ACCURACY) == pytest.approx(((0.70 - 0.90) + (0.85 - 0.80)) / 2)


def test_forward_transfer_is_what_is_known_of_a_task_before_its_turn() -> None:
    untrained = np.array([0.5, 0.1, 0.2])
    assert continual.forward_transfer(ACCURACY, untrained) == pytest.approx(((0.30 - 0.1) + (0.40 - 0.2)) / 2)


def test_forgetting_is_against_best_ever_not_against_its_own_turn() -> None:
    assert continual.forgetting(ACCURACY) == pytest.approx(((0.95 - 0.70) + (0.80 - 0.85)) / 2)


def test_best_ever_ignores_values_from_before_the_tasks_turn() -> None:
    lucky = ACCURACY.copy()
    lucky[0, 1] = 0.99
    assert continual.best_ever(lucky)[1] == 0.80
    assert continual.forgetting(lucky) == continual.forgetting(ACCURACY)


def test_old_task_weighs_tasks_by_rows_without_the_newest() -> None:
    assert continual.old_task(ACCURACY, np.array([30, 10, 500])) == pytest.approx(
        (30 * 0.70 + 10 * 0.85) / 40
    )


def test_one_task_alone_has_neither_transfer_nor_forgetting() -> None:
    alone = np.array([[0.5]])
    assert np.isnan(continual.forgetting(alone))
    assert np.isnan(continual.backward_transfer(alone))
    assert np.isnan(continual.forward_transfer(alone, np.array([0.0])))


def test_what_was_not_measured_is_left_out() -> None:
    gap = ACCURACY.copy()
    gap[:, 1] = NAN
    assert continual.forgetting(gap) == pytest.approx(0.25)
    assert continual.average_accuracy(gap) == pytest.approx(0.65)
