"""A small classifier that learns tasks one after another by the product's strategies.

Optimiser, pull (L2, EWC and its Fisher information), λ-weighting, soft targets, reservoir, slice and reaction
are those of `components.trainer` and `components.replay`; only the model is another.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import tensorflow as tf

from benchmarks.classic.tasks import CLASSES, SIDE, Task
from components.features.rows import scalar
from components.replay import reservoir
from components.replay.config import ReplayConfig
from components.replay.slice import draw
from components.trainer.config import LearnConfig, ReactionConfig
from components.trainer.distillation import soft_target_loss
from components.trainer.objective import row_weights
from components.trainer.optimizer import RowSparse, fisher
from components.trainer.probe import Weeks, loss, raised
from components.trainer.pull import Pull, ewc, l2
from components.trainer.react import until_kept

HIDDEN, EPOCHS, BATCH, RATE = 100, 10, 32, 0.003
PROBE = 0.1
"""Of each task's digits: those that a reacting method does not learn, but sees what it forgets by."""
ROWS = pa.schema(
    [("user_id", pa.list_(pa.string())), ("span", pa.list_(pa.int64())), ("timestamp", pa.list_(pa.int64()))]
)

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Method:
    """What is done against forgetting; by default nothing."""

    name: str
    pull: float = 0.0
    pull_by: str = "l2"
    distill: float = 0.0
    temperature: float = 2.0
    memory: int = 0
    """Digits that the reservoir remembers."""
    memory_by: Literal["uniform", "stratified"] = "uniform"
    share: float = 1.0
    """Of these, what a task learns again."""
    recency: float | None = None
    """Days, seven a task, that halve a remembered digit's weight in the draw; None: all alike."""
    reaction: ReactionConfig = field(default_factory=ReactionConfig)
    old_share: float | None = None
    joint: bool = False
    """Trained anew from all tasks so far."""


@dataclass(frozen=True)
class Attempt:
    """What one training of a task has come to, and its accuracy on each task's probe."""

    weights: Arrays
    slots: Arrays
    probe: Weeks
    digits: int


class Learner:
    """One method, one task after another."""

    def __init__(self, method: Method, seed: int) -> None:
        self.method, self.seed = method, seed
        self.weights: Arrays = initial(seed)
        self.slots: Arrays = {}
        self.seen: list[Task] = []
        self.buffer = ROWS.empty_table()
        self.best: dict[str, float] = {}
        self.digits = 0
        """Trained on so far, in one pass of each attempt."""

    def accuracy(self, task: Task) -> float:
        return accuracy(self.weights, task.test, task.test_labels)

    def learn(self, task: Task) -> None:
        method, number = self.method, len(self.seen)
        self.seen.append(task)
        config = LearnConfig(
            replay=ReplayConfig(
                capacity=method.memory, memory=method.memory_by, share=method.share, cap=1.0,
                recency=method.recency,
            ),
            pull=method.pull, pull_by=method.pull_by, reaction=method.reaction,
        )  # fmt: skip
        new = self._rows(number)
        if method.joint:
            self.weights, self.slots = initial(self.seed), {}

        def attempt(settings: LearnConfig) -> Attempt:
            old = draw(self.buffer, new, settings.replay, seed=self.seed, span=first_day(number))
            if method.joint:
                old = pa.concat_tables([new.slice(0, 0), *map(self._rows, range(number))])
            return self._trained(new, old, settings)

        def lost(one: Attempt) -> float:
            return loss(self.best, one.probe)

        tried = until_kept(attempt(config), attempt, lost, config)
        self.digits += sum(one.digits for one in tried)
        chosen = min(tried, key=lost)
        self.weights, self.slots = chosen.weights, chosen.slots
        self.best = raised(self.best, chosen.probe)
        self.buffer = reservoir.add(self.buffer, new, config.replay, self.seed)

    def _learned(self, number: int) -> int:
        """How many digits of that task are learned, the first of them: all but its probe."""
        digits = len(self.seen[number].train)
        return digits - round(PROBE * digits) if self.method.reaction.attempts else digits

    def _rows(self, number: int) -> pa.Table:
        return rows_of(number, self._learned(number))

    def _digits(self, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and labels of rows: which digit of which task."""
        digits = [int(one) for one in scalar(rows, "user_id").tolist()]
        of_task = np.asarray(scalar(rows, "span")) // reservoir.WEEK
        places = list(zip(of_task.tolist(), digits, strict=True))
        pixels = np.stack([self.seen[task].train[digit] for task, digit in places])
        return pixels, np.array([self.seen[task].train_labels[digit] for task, digit in places])

    def _trained(self, new: pa.Table, replayed: pa.Table, settings: LearnConfig) -> Attempt:
        method, first = self.method, not self.slots
        pixels, labels = self._digits(pa.concat_tables([new, replayed]))
        old = np.arange(len(labels)) >= new.num_rows
        variables = {name: tf.Variable(array) for name, array in self.weights.items()}
        optimizer = RowSparse({}, variables, RATE, RATE, self.slots, None if first else self._pull(settings))
        teacher = {name: tf.constant(array) for name, array in self.weights.items()}
        shares = method.old_share
        weights = np.ones(len(old), np.float32) if shares is None else row_weights(old, shares)
        soft = (old if old.any() else ~old).astype(np.float32)
        strength = 0.0 if first else method.distill

        @tf.function(reduce_retracing=True)
        def step(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor, softly: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                ours = logits(variables, x)
                loss = tf.reduce_mean(weight * tf.nn.sparse_softmax_cross_entropy_with_logits(y, ours))
                if strength:
                    apart = soft_target_loss(logits(teacher, x), ours, method.temperature)
                    loss += strength * tf.reduce_mean(softly * apart)
            optimizer.apply(tape, loss)

        for epoch in range(EPOCHS):
            order = np.random.default_rng([self.seed, len(self.seen), epoch]).permutation(len(labels))
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                step(*(tf.constant(one[chosen]) for one in (pixels, labels, weights, soft)))
        after = {name: one.numpy() for name, one in variables.items()}
        return Attempt(after, optimizer.slots(), self._probed(after), len(labels))

    def _probed(self, weights: Arrays) -> Weeks:
        """By task, as the product has it by week; nothing where there is no reaction."""
        if not self.method.reaction.attempts:
            return {}
        found: Weeks = {}
        for number, task in enumerate(self.seen):
            pixels, labels = (one[self._learned(number) :] for one in (task.train, task.train_labels))
            found[str(number)] = (accuracy(weights, pixels, labels), len(labels))
        return found

    def _pull(self, settings: LearnConfig) -> Pull | None:
        rates, alpha = dict.fromkeys(self.weights, RATE), settings.pull
        if not alpha:
            return None
        by_fisher = settings.pull_by == "ewc"
        return Pull(
            self.weights, ewc(rates, fisher(self.slots, rates), alpha) if by_fisher else l2(rates, alpha)
        )


def rows_of(task: int, digits: int) -> pa.Table:
    """Rows that say which digit of which task, as the reservoir keeps them: a week a task."""
    columns: dict[str, list] = {
        "user_id": [str(digit) for digit in range(digits)],
        "span": [first_day(task)] * digits,
        "timestamp": [0] * digits,
    }
    arrays = [pa.array([[one] for one in columns[field.name]], field.type) for field in ROWS]
    return pa.Table.from_arrays(arrays, schema=ROWS)


def first_day(task: int) -> int:
    """The span of a task, whose week is its own."""
    return task * reservoir.WEEK


def accuracy(weights: Arrays, pixels: np.ndarray, labels: np.ndarray) -> float:
    variables = {name: tf.constant(array) for name, array in weights.items()}
    found = tf.argmax(logits(variables, tf.constant(pixels)), axis=1, output_type=tf.int32)
    return float(np.mean(found.numpy() == labels))


def initial(seed: int) -> Arrays:
    """Glorot's uniform weights of 64 → 100 → 100 → 10."""
    rng, sizes = np.random.default_rng(seed), (SIDE**2, HIDDEN, HIDDEN, CLASSES)
    found = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        limit = np.sqrt(6 / (inputs + outputs))
        found[f"{layer}/kernel"] = rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
        found[f"{layer}/bias"] = np.zeros(outputs, np.float32)
    return found


def logits(variables: dict[str, tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """float32 [n, 10]."""
    for layer in range(3):
        x = tf.linalg.matmul(x, variables[f"{layer}/kernel"]) + variables[f"{layer}/bias"]
        x = tf.nn.relu(x) if layer < 2 else x
    return x
