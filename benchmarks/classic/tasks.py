"""Ten tasks of scikit-learn's bundled digits (8 × 8 pixels): permuted, or seen in other domains, or unevenly.

For Permuted MNIST (Goodfellow et al. 2013) and DomainNet (Peng et al. 2019), which no package bundles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

SIDE, CLASSES, TASKS = 8, 10, 10
TEST_SHARE = 0.25
UNEVEN = 10
"""By so much every second of the uneven tasks has fewer digits to learn."""


@dataclass(frozen=True)
class Task:
    """Pixels float32 [n, 64] in [0, 1] and labels int32 [n]; of the same digits in every task."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def tasks(kind: str, seed: int) -> list[Task]:
    """kind: `permuted`, `domains`, or `uneven`: permuted tasks of which every second one is small.

    Test digits are never trained on in any task.
    """
    rng = np.random.default_rng([seed, len(kind)])
    pixels, labels, test, train = _digits(rng)
    changes = domains(rng) if kind == "domains" else permutations(rng)
    small = train[: len(train) // UNEVEN]
    learned = [small if kind == "uneven" and number % 2 else train for number in range(TASKS)]
    return [
        Task(change(pixels[mine]), labels[mine], change(pixels[test]), labels[test])
        for change, mine in zip(changes, learned, strict=True)
    ]


def moving(seed: int) -> list[Task]:
    """Two domains in turns, whose labels move: each time one comes two have changed places, the same in both.

    What a task taught of its domain mostly holds when the domain comes again, and less so each time.
    """
    rng = np.random.default_rng([seed, len("moving")])
    pixels, labels, test, train = _digits(rng)
    turned = rng.permutation(SIDE**2)
    meaning = np.arange(CLASSES, dtype=np.int32)
    found = []
    for number in range(TASKS):
        places = turned if number % 2 else np.arange(SIDE**2)
        if not number % 2:
            pair = rng.choice(CLASSES, 2, replace=False)
            meaning[pair] = meaning[pair[::-1]]
        told = meaning[labels]
        found.append(Task(pixels[train][:, places], told[train], pixels[test][:, places], told[test]))
    return found


def _digits(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pixels in [0, 1], labels, and which digits are for tests and which for training."""
    digits = load_digits()
    pixels, labels = (digits.data / 16.0).astype(np.float32), digits.target.astype(np.int32)
    order = rng.permutation(len(labels))
    return pixels, labels, *np.split(order, [int(TEST_SHARE * len(labels))])


Change = Callable[[np.ndarray], np.ndarray]


def permutations(rng: np.random.Generator) -> list[Change]:
    """The digits as they are, then nine fixed orders of their pixels."""
    orders = [np.arange(SIDE**2), *(rng.permutation(SIDE**2) for _ in range(TASKS - 1))]
    return [partial(np.take, indices=order, axis=1) for order in orders]


def domains(rng: np.random.Generator) -> list[Change]:
    """Plain, inverted, rotated, noisy, and what comes of these together."""

    def images(pixels: np.ndarray) -> np.ndarray:
        return pixels.reshape(-1, SIDE, SIDE)

    def turned(quarters: int) -> Change:
        return lambda pixels: np.rot90(images(pixels), quarters, (1, 2)).reshape(pixels.shape)

    def plain(pixels: np.ndarray) -> np.ndarray:
        return pixels

    def inverted(pixels: np.ndarray) -> np.ndarray:
        return 1.0 - pixels

    def noisy(pixels: np.ndarray) -> np.ndarray:
        return np.clip(pixels + rng.normal(0.0, 0.25, pixels.shape).astype(np.float32), 0.0, 1.0)

    def mirrored(pixels: np.ndarray) -> np.ndarray:
        return images(pixels)[:, :, ::-1].reshape(pixels.shape)

    def both(one: Change, other: Change) -> Change:
        return lambda pixels: other(one(pixels))

    return [
        plain, inverted, turned(1), noisy, turned(2), both(inverted, noisy),
        both(turned(1), inverted), mirrored, turned(3), both(mirrored, inverted),
    ]  # fmt: skip
