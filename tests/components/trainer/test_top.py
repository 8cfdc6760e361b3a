"""The best by blocks are the best."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.top import BLOCK, top_k, whole_blocks


@pytest.mark.parametrize("k", [1, 7, 300, 1000])
@pytest.mark.parametrize("values", [3, 2**24])
def test_blocks_give_what_a_sort_gives_ties_included(k, values):
    rng = np.random.default_rng(k)
    length = whole_blocks(40_000)
    scores = tf.constant(rng.integers(0, values, (3, length)), tf.float32)
    expected, got = tf.math.top_k(scores, k), top_k(scores, tf.constant(k))
    np.testing.assert_array_equal(got[0], expected.values)
    np.testing.assert_array_equal(got[1], expected.indices)


def test_all_of_one_block():
    scores = np.zeros((1, whole_blocks(2**15)), np.float32)
    scores[0, 3 * BLOCK : 4 * BLOCK] = np.arange(1, BLOCK + 1)
    _, columns = top_k(tf.constant(scores), BLOCK)
    assert columns.numpy().tolist() == [list(range(4 * BLOCK - 1, 3 * BLOCK - 1, -1))]


def test_no_row_is_no_error():
    values, columns = top_k(tf.zeros([0, 2**15]), 5)
    assert values.shape == columns.shape == (0, 5)


def test_short_rows_need_no_padding():
    assert whole_blocks(1000) == 1000
    assert whole_blocks(2**15 + 1) == 2**15 + BLOCK
