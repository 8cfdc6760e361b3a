"""Moving moments by hand."""

from __future__ import annotations

import numpy as np
import pytest

from components.trainer.model import Scaler
from components.trainer.moments import DECAY, Moments


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
