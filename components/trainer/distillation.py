"""Distillation: a later learn keeps to what its base would have answered.

L + α · T² · Σ_rows KL(p_base ‖ p), with p = softmax(score / T) over a step's candidates: the row's own past
and the shared ones, these with the logQ correction, so that a sample stands for the catalogue. Soft targets
as in Hinton et al., "Distilling the Knowledge in a Neural Network" (2015), on replayed rows as in ADER (Mi et
al., RecSys 2020); the KL divergence has the gradient of their cross-entropy and is 0 where nothing has moved.
Where nothing is replayed, on all rows (learning without forgetting: Li & Hoiem 2016): no old data needed.
Costs a second forward pass, without gradients, and a copy of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from components.trainer.loss import NEVER, corrected
from components.trainer.model import TwoTower
from components.trainer.part import SEED, Tensors

Logits = tuple[tf.Tensor, tf.Tensor]


@dataclass(frozen=True)
class Distillation:
    """The base as a teacher."""

    teacher: TwoTower
    weight: float
    temperature: float
    new_spans: np.ndarray
    """Spans whose rows have no soft targets, int64."""

    def rows(self, spans: np.ndarray) -> np.ndarray:
        """float32 [rows], 1 for those with soft targets."""
        return (~np.isin(spans, self.new_spans)).astype(np.float32)

    def loss(self, student: Logits, inputs: Tensors, rows: tf.Tensor) -> tf.Tensor:
        """The summed loss of a step. student: what `TwoTower.logits` answered; rows: float32 [rows]."""
        whole = {name: one for name, one in inputs.items() if name != SEED}  # the teacher drops nothing
        theirs = candidates(*self.teacher.logits(whole), inputs)
        divergence = soft_target_loss(theirs, candidates(*student, inputs), self.temperature)
        return self.weight * tf.reduce_sum(rows * divergence)


def candidates(shared: tf.Tensor, past: tf.Tensor, inputs: Tensors) -> tf.Tensor:
    """float32 [rows, candidates + n]: logits of all that a row chooses from, others out of reach."""
    open_to_all = tf.where(inputs["candidate_excluded"], NEVER, corrected(shared, inputs["inclusion"]))
    return tf.concat([open_to_all, tf.where(inputs["history_mask"], past, NEVER)], axis=1)


def soft_target_loss(teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
    """float32 [rows]: T² · KL(softmax(teacher / T) ‖ softmax(student / T)). Both: logits [rows, classes]."""
    theirs = tf.nn.log_softmax(tf.stop_gradient(teacher) / temperature)
    ours = tf.nn.log_softmax(student / temperature)
    return temperature**2 * tf.reduce_sum(tf.exp(theirs) * (theirs - ours), axis=1)
