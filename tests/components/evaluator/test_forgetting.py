import numpy as np
import pytest

from components.evaluator import forgetting as forget


def test_means_by_week_leave_out_rows_without_a_value():
    weeks = np.array(["a", "b", "a", "a"], dtype=object)
    assert forget.by_week(weeks, np.array([0.2, 0.5, 0.4, np.nan])) == {
        "a": (pytest.approx(0.3), 2),
        "b": (0.5, 1),
    }
    assert forget.by_week(weeks[:0], np.zeros(0)) == {}


def test_best_ever_only_rises():
    assert forget.raise_best({"a": 0.3, "b": 0.2}, {"a": 0.25, "b": 0.4, "c": 0.1}) == {
        "a": 0.3,
        "b": 0.4,
        "c": 0.1,
    }


def test_forgetting_is_the_weighted_fall_from_the_best():
    now = {"a": (0.2, 30), "b": (0.5, 10), "unseen before": (0.1, 99)}
    assert forget.forgetting(now, {"a": 0.3, "b": 0.4, "gone": 0.9}) == pytest.approx(
        (0.1 * 30 - 0.1 * 10) / 40
    )
    assert forget.forgetting(now, {}) is None


def test_performance_is_old_plus_new():
    assert forget.performance(0.25, 0.125) == 0.375
    assert forget.performance(None, 0.1) is None
