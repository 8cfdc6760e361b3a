"""The loss by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.loss import multi_positive_softmax
from components.trainer.steps import inclusion


def loss(shared, weight, excluded, probability, own=(), own_weight=(), owner=()) -> float:
    """weight, excluded: a number for each of `shared`, above 0 for positives and for what is out of reach."""
    numbers = [tf.constant(one, tf.float32) for one in (shared, weight, probability, own, own_weight)]
    shared, weight, probability, own, own_weight = numbers
    positive = tf.where(weight > 0)
    no_negative = (tf.constant(excluded, tf.float32) > 0) | (weight > 0)
    own_ones = own, own_weight, tf.constant(owner, tf.int32)
    weight = tf.gather_nd(weight, positive)
    return float(multi_positive_softmax(shared, positive, weight, no_negative, probability, *own_ones))


def test_one_positive_against_two_negatives() -> None:
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + math.exp(1.0) + math.exp(0.5)))
    assert loss([[2.0, 1.0, 0.5]], [[1, 0, 0]], [[0, 0, 0]], [1, 1, 1]) == pytest.approx(expected, rel=1e-6)


def test_other_positives_of_the_row_are_no_negatives() -> None:
    against = math.exp(0.5)
    expected = sum(-math.log(math.exp(s) / (math.exp(s) + against)) for s in (2.0, 1.0))
    assert loss([[2.0, 1.0, 0.5]], [[1, 1, 0]], [[0, 0, 0]], [1, 1, 1]) == pytest.approx(expected, rel=1e-6)


def test_a_behaviour_weighs_its_positive() -> None:
    full = loss([[2.0, 1.0]], [[1, 0]], [[0, 0]], [1, 1])
    assert loss([[2.0, 1.0]], [[0.3, 0]], [[0, 0]], [1, 1]) == pytest.approx(0.3 * full, rel=1e-6)


def test_a_sampled_negative_stands_for_one_over_its_probability() -> None:
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + math.exp(1.0) / 0.25))
    assert loss([[2.0, 1.0]], [[1, 0]], [[0, 0]], [0.1, 0.25]) == pytest.approx(expected, rel=1e-6)


def test_an_excluded_candidate_counts_only_among_the_rows_own() -> None:
    # The second candidate lies in the row's history: it counts there, once, with its own logit 1.5.
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + math.exp(1.5)))
    got = loss([[2.0, 9.0]], [[1, 0]], [[0, 1]], [1, 1], [1.5], [0], [0])
    assert got == pytest.approx(expected, rel=1e-6)


def test_a_positive_of_the_history_is_set_against_candidates_and_history() -> None:
    expected = -math.log(math.exp(3.0) / (math.exp(3.0) + math.exp(2.0) + math.exp(1.0)))
    got = loss([[2.0]], [[0]], [[0]], [1], [3.0, 1.0], [1, 0], [0, 0])
    assert got == pytest.approx(expected, rel=1e-6)


def test_a_rows_own_candidates_are_nobody_elses() -> None:
    alone = loss([[2.0, 1.0]], [[1, 0]], [[0, 0]], [1, 1], [3.0], [0], [0])
    other = loss([[0.5, 1.5]], [[0, 1]], [[0, 0]], [1, 1])
    third = loss([[0.1, 0.2]], [[0, 0]], [[0, 0]], [1, 1], [4.0, 5.0], [1, 0], [0, 0])
    shared, weight = [[2.0, 1.0], [0.5, 1.5], [0.1, 0.2]], [[1, 0], [0, 1], [0, 0]]
    excluded = [[0, 0]] * 3
    together = loss(shared, weight, excluded, [1, 1], [3.0, 4.0, 5.0], [0, 1, 0], [0, 2, 2])
    assert together == pytest.approx(alone + other + third, rel=1e-6)


def test_far_apart_logits_stay_finite() -> None:
    shared, own = tf.constant([[0.0, 900.0]]), tf.constant([-900.0, 850.0])
    positive, excluded, owner = (tf.constant(one) for one in ([[0, 0]], [[True, False]], [0, 0]))
    with tf.GradientTape() as tape:
        tape.watch([shared, own])
        value = multi_positive_softmax(
            shared, positive, tf.ones([1]), excluded, tf.ones([2]), own, tf.zeros([2]), owner
        )
    assert float(value) == pytest.approx(900.0)
    assert all(np.isfinite(one).all() for one in tape.gradient(value, [shared, own]))


def test_a_row_without_negatives_costs_nothing() -> None:
    assert loss([[2.0]], [[1]], [[0]], [1]) == pytest.approx(0.0, abs=1e-6)


def test_inclusion_by_hand() -> None:
    # 3 of the other 10 rows are in the step: each of two takers is absent with 1 - 3/10.
    assert inclusion(np.array([2]), 4, 11, 0, 5)[0] == pytest.approx(1 - 0.7**2)
    # Nobody took it, but two draws of five items may bring it.
    assert inclusion(np.array([0]), 4, 11, 2, 5)[0] == pytest.approx(1 - 0.8**2)
    # A step that holds all rows holds everything that anybody took.
    assert inclusion(np.array([1, 3]), 11, 11, 0, 5).tolist() == [1.0, 1.0]


def test_inclusion_is_the_measured_frequency() -> None:
    rng = np.random.default_rng(0)
    rows, batch, items = 60, 12, 20
    taken = rng.integers(0, 8, rows)  # a row takes one item
    asking = 0
    others = np.arange(1, rows)
    seen = np.zeros(items)
    draws = 20_000
    for _ in range(draws):
        step = taken[rng.choice(others, batch - 1, replace=False)]
        seen[np.union1d(step, rng.integers(0, items, 3))] += 1
    takers = np.bincount(np.delete(taken, asking), minlength=items)
    assert inclusion(takers, batch, rows, 3, items) == pytest.approx(seen / draws, abs=0.03)
