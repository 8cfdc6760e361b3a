import numpy as np
import pytest

from components.backtest.intervals import pooled

FEW = {"resamples": 2000, "seed": 0}


def test_days_weigh_by_their_rows() -> None:
    value = pooled(np.array([0.2, 0.8]), np.array([30, 10]), **FEW)
    assert value.estimate == pytest.approx((30 * 0.2 + 10 * 0.8) / 40)
    assert (value.low, value.high) == pytest.approx((0.2, 0.8))


def test_days_without_a_value_or_a_row_say_nothing() -> None:
    value = pooled(np.array([0.5, float("nan"), 0.9]), np.array([4, 7, 0]), **FEW)
    assert value == pytest.approx((0.5, 0.5, 0.5))
    assert all(np.isnan(pooled(np.array([float("nan")]), np.array([0]), **FEW)))


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        days = rng.normal(0.3, 0.05, 40)
        value = pooled(days, np.full(40, 100), 500, 0)
        covered += value.low <= 0.3 <= value.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_constant_difference_is_certain_however_much_days_vary() -> None:
    days = np.random.default_rng(1).uniform(0.1, 0.5, 30)
    gap = pooled((days + 0.01) - days, np.full(30, 50), **FEW)
    assert gap.low == pytest.approx(0.01)
    assert gap.high == pytest.approx(0.01)
    assert not gap.holds_zero
