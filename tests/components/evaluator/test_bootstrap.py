import numpy as np
import pytest

from components.evaluator.bootstrap import _draws, relative_difference

USERS = np.arange(400) // 2  # 200 users, two rows each


def test_a_constant_loss_has_an_interval_of_no_width():
    reference = np.random.default_rng(1).uniform(size=400)
    found = relative_difference(USERS, 0.9 * reference, reference)
    assert (found.estimate, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1), abs=1e-5)
    assert (found.users, found.rows) == (200, 400)


def test_width_agrees_with_theory():
    rng = np.random.default_rng(2)
    reference = np.ones(4000)
    candidate = 1 + rng.normal(0, 0.5, size=4000)
    found = relative_difference(np.arange(4000), candidate, reference)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(4000), rel=0.08)
    assert found.low < found.estimate < found.high


def test_users_are_drawn_not_rows():
    once = np.random.default_rng(3).normal(1, 0.5, size=200)
    ones = np.ones(200)
    alone = relative_difference(np.arange(200), once, ones)
    ten_times = relative_difference(np.repeat(np.arange(200), 10), np.repeat(once, 10), np.repeat(ones, 10))
    assert (ten_times.low, ten_times.high) == pytest.approx((alone.low, alone.high), abs=1e-5)


def test_what_both_share_cancels():
    rng = np.random.default_rng(4)
    reference = rng.uniform(0, 1, size=400)
    noise = rng.normal(0, 0.02, size=400)
    paired = relative_difference(USERS, reference + noise, reference)
    unpaired = relative_difference(USERS, rng.permutation(reference) + noise, reference)
    assert paired.high - paired.low < 0.3 * (unpaired.high - unpaired.low)


def test_the_same_seed_gives_the_same_interval_in_blocks_too(monkeypatch):
    reference = np.random.default_rng(5).uniform(size=400)
    candidate = np.random.default_rng(6).uniform(size=400)
    first = relative_difference(USERS, candidate, reference, seed=7)
    _draws.cache_clear()
    assert first == relative_difference(USERS, candidate, reference, seed=7)
    assert first != relative_difference(USERS, candidate, reference, seed=8)
    # So small that 400 users need several blocks, as millions do.
    monkeypatch.setattr("components.evaluator.bootstrap._CELLS", 10_000)
    in_blocks = relative_difference(USERS, candidate, reference, seed=7)
    assert in_blocks.low == pytest.approx(first.low, abs=0.02)


def test_nothing_is_said_where_nothing_can_be():
    zero, one = np.zeros(3), np.ones(3)
    assert relative_difference(np.arange(3), one, zero) is None
    assert relative_difference(np.arange(0), np.zeros(0), np.zeros(0)) is None
    assert relative_difference(np.arange(3), np.full(3, np.nan), one) is None


def test_draws_without_a_hit_of_the_reference_are_left_out():
    found = relative_difference(np.arange(3), np.array([1.0, 0, 0]), np.array([1.0, 0, 0]))
    assert (found.low, found.high) == (0, 0)
