"""The optimiser by hand: Adagrad on the rows that a step touches, Adam on dense layers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR, RowSparse, steps_of

TABLE_RATE, DENSE_RATE = 0.1, 0.01
START = np.arange(10, dtype=np.float32).reshape(5, 2) / 10
KERNEL = np.array([[0.3, -0.2]], np.float32)
ROWS, PULL_OF_ROW = [3, 1, 3], np.array([1.0, -2.0, 0.5], np.float32)


def variables() -> tuple[dict[str, tf.Variable], dict[str, tf.Variable]]:
    return {"table": tf.Variable(START)}, {"kernel": tf.Variable(KERNEL)}


def stepped(optimizer: RowSparse, table: tf.Variable, kernel: tf.Variable) -> None:
    """A loss of known gradient: of a row the sum of its numbers in PULL_OF_ROW, of the kernel 2 · kernel."""
    with tf.GradientTape() as tape:
        rows = tf.gather(table, ROWS)
        loss = tf.reduce_sum(rows * PULL_OF_ROW[:, None]) + tf.reduce_sum(kernel**2)
    optimizer.apply(tape, loss)


def test_three_steps_by_hand() -> None:
    tables, dense = variables()
    optimizer = RowSparse(tables, dense, TABLE_RATE, DENSE_RATE, {})
    for _ in range(3):
        stepped(optimizer, tables["table"], dense["kernel"])
    table, summed = START.copy(), np.full_like(START, INITIAL_ACCUMULATOR)
    kernel, momentum, velocity = KERNEL.copy(), np.zeros_like(KERNEL), np.zeros_like(KERNEL)
    for step in (1, 2, 3):
        for row, gradient in ((3, 1.5), (1, -2.0)):  # row 3 comes twice: one row with the sum
            summed[row] += gradient**2
            table[row] -= TABLE_RATE * gradient / np.sqrt(summed[row])
        gradient = 2 * kernel
        momentum = 0.9 * momentum + 0.1 * gradient
        velocity = 0.999 * velocity + 0.001 * gradient**2
        corrected = momentum / (1 - 0.9**step), velocity / (1 - 0.999**step)
        kernel = kernel - DENSE_RATE * corrected[0] / np.sqrt(corrected[1])
    np.testing.assert_allclose(tables["table"], table, rtol=1e-5)
    np.testing.assert_allclose(dense["kernel"], kernel, rtol=1e-4)
    slots = optimizer.slots()
    np.testing.assert_allclose(slots[ACCUMULATOR + "table"], summed, rtol=1e-6)
    assert steps_of(slots) == 3


def test_it_goes_on_where_its_slots_were_taken() -> None:
    tables, dense = variables()
    whole = RowSparse(tables, dense, TABLE_RATE, DENSE_RATE, {})
    for _ in range(4):
        stepped(whole, tables["table"], dense["kernel"])
    again, layers = variables()
    first = RowSparse(again, layers, TABLE_RATE, DENSE_RATE, {})
    for _ in range(2):
        stepped(first, again["table"], layers["kernel"])
    second = RowSparse(again, layers, TABLE_RATE, DENSE_RATE, first.slots())
    for _ in range(2):
        stepped(second, again["table"], layers["kernel"])
    assert np.array_equal(again["table"], tables["table"])
    assert np.array_equal(layers["kernel"], dense["kernel"])
    assert all(np.array_equal(one, second.slots()[name]) for name, one in whole.slots().items())


def test_slots_of_no_variable_are_an_error() -> None:
    tables, dense = variables()
    with pytest.raises(ValueError, match="slots of no variable: adam/momentum:gone"):
        RowSparse(tables, dense, TABLE_RATE, DENSE_RATE, {"adam/momentum:gone": KERNEL})
