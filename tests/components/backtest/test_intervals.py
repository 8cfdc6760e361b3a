import numpy as np
import pytest

from components.backtest.intervals import pooled

FEW = {"resamples": 2000, "seed": 0}


def test_days_weigh_by_their_rows() -> None:
    value = pooled(np.array([0.2, 0.8]), np.array([30, 10]), **FEW)
    assert value.estimate == pytest.approx((30 * 0.2 + 10 * 0.8) / 40)


def test_of_a_few_days_there_is_an_estimate_and_no_interval() -> None:
    value = pooled(np.array([0.4, 0.5, 0.6, 0.5]), np.full(4, 10), **FEW)
    assert value.estimate == pytest.approx(0.5)
    assert np.isnan([value.low, value.high]).all()


def test_days_without_a_value_or_a_row_say_nothing() -> None:
    told, nothing = [0.5] * 5, [float("nan"), 0.9]
    value = pooled(np.array([*told, *nothing]), np.array([4] * 5 + [7, 0]), **FEW)
    assert value == pytest.approx((0.5, 0.5, 0.5))
    assert all(np.isnan(pooled(np.array([float("nan")]), np.array([0]), **FEW)))


@pytest.mark.parametrize("days", [7, 40])
def test_the_interval_covers_the_mean_as_often_as_it_says(days: int) -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        value = pooled(rng.normal(0.3, 0.05, days), np.full(days, 100), 1000, 0)
        covered += value.low <= 0.3 <= value.high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_constant_difference_is_certain_however_much_days_vary() -> None:
    days = np.random.default_rng(1).uniform(0.1, 0.5, 30)
    gap = pooled((days + 0.01) - days, np.full(30, 50), **FEW)
    assert gap.low == pytest.approx(0.01)
    assert gap.high == pytest.approx(0.01)
    assert not gap.holds_zero
