import numpy as np
import pytest

from components import metrics

# The first row has its relevant items at ranks 1, 4 and 30, the second one at rank 3, the third none.
RANKS = np.array([4, 1, 30, 3])
ROW = np.array([0, 0, 0, 1])


def test_recall_counts_hits_over_the_most_possible():
    np.testing.assert_allclose(metrics.recall_at(10, RANKS, ROW, 3), [2 / 3, 1, np.nan])
    np.testing.assert_allclose(
        metrics.recall_at(2, RANKS, ROW, 3), [1 / 2, 0, np.nan]
    )  # 2 places for 3 items


def test_rank_k_is_within_the_first_k():
    assert metrics.recall_at(3, np.array([3]), np.array([0]), 1)[0] == 1
    assert metrics.recall_at(2, np.array([3]), np.array([0]), 1)[0] == 0


def test_ndcg_by_hand():
    gain = 1 + 1 / np.log2(5)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    np.testing.assert_allclose(metrics.ndcg_at(10, RANKS, ROW, 3), [gain / ideal, 1 / np.log2(4), np.nan])
    np.testing.assert_allclose(metrics.ndcg_at(2, RANKS, ROW, 3), [1 / (1 + 1 / np.log2(3)), 0, np.nan])


def test_reciprocal_rank_is_of_the_best_placed():
    np.testing.assert_allclose(metrics.reciprocal_rank(RANKS, ROW, 3), [1, 1 / 3, np.nan])


def test_a_perfect_ranking_has_every_metric_one():
    for name in ("recall_at_10", "recall_at_50", "ndcg_at_10", "ndcg_at_50", "mrr"):
        assert metrics.metric(name, np.arange(1, 31), np.zeros(30, int), 1) == pytest.approx([1]), name


def test_overlap_counts_shared_items_in_any_order():
    before = np.array([["a", "b", "c", "d"], ["a", "b", "c", "d"]], object)
    now = np.array([["d", "c", "b", "a"], ["a", "x", "y", "z"]], object)
    assert metrics.overlap(before, now) == pytest.approx((1.0 + 0.25) / 2)


def test_chance_is_the_recall_of_a_random_order():
    """Of 10 items 2 are shown: a lone relevant item is hit with 2/10; of four, .8 are, over two possible."""
    assert metrics.chance(np.array([1, 4]), items=10, k=2) == pytest.approx((0.2 + 0.4) / 2)
    assert np.isnan(metrics.chance(np.zeros(0, int), items=10, k=2))
