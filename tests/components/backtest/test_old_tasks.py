"""Old tasks row by row: means, paired gaps, and when there is nothing to compare."""

import numpy as np
import pyarrow as pa
import pytest

from components.backtest import old_tasks


def kept(recalls: np.ndarray, users: list[str] | None = None, task: int = 0) -> pa.Table:
    users = users or [f"u{n % 40}" for n in range(len(recalls))]
    return old_tasks.table(task, pa.array(users), recalls)


def test_the_mean_is_over_rows_whoever_has_many() -> None:
    rows = kept(np.array([1.0, 1.0, 1.0, 0.0, np.nan]), ["a", "a", "a", "b", "c"])
    assert old_tasks.mean(rows, 200, 0).estimate == pytest.approx(0.75)


def test_users_are_drawn_not_rows() -> None:
    """A hundred rows of each of six users tell as little as one of each: hardly anything, though 600."""
    rows = kept(np.repeat([1.0, 0.0] * 3, 100), list(np.repeat(list("abcdef"), 100)))
    value = old_tasks.mean(rows, 500, 0)
    assert (value.low, value.high) == (0.0, 1.0)


def test_a_gap_is_paired_by_row() -> None:
    """Rows differ much, the two lines by a little and alike on each: what is paired sees it."""
    hard = np.random.default_rng(0).uniform(0, 1, 200)
    value = old_tasks.gap(kept(hard - 0.01), kept(hard), 500, 0)
    assert value.estimate == pytest.approx(-0.01)
    assert value.low == pytest.approx(value.high)
    within = old_tasks.gap(kept(hard - 0.01), kept(hard), 500, 0, share=0.9)
    assert within.low > 0


@pytest.mark.parametrize("other", [None, kept(np.zeros(3)), kept(np.zeros(4), task=1)])
def test_other_rows_are_not_compared(other: pa.Table | None) -> None:
    assert np.isnan(old_tasks.gap(kept(np.ones(4)), other, 100, 0).estimate)
