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

from components.trainer.loss import NEVER, corrected, with_own
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
        theirs, ours = open_to(self.teacher.logits(whole), inputs), open_to(student, inputs)
        apart = divergence(theirs, ours, inputs["owner"], self.temperature)
        return self.weight * tf.reduce_sum(rows * apart)


def open_to(logits: Logits, inputs: Tensors) -> Logits:
    """What a row chooses from: its shared positives and negatives, and its own candidates."""
    shared, own = logits
    positive = inputs["positive"]
    taken = tf.zeros([tf.shape(positive)[0]], tf.bool)
    out_of_reach = tf.tensor_scatter_nd_update(inputs["candidate_excluded"], positive, taken)
    return tf.where(out_of_reach, NEVER, corrected(shared, inputs["inclusion"])), own


def soft_target_loss(teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
    """float32 [rows]: T² · KL(softmax(teacher / T) ‖ softmax(student / T)). Both: logits [rows, classes]."""
    nothing, nobody = tf.zeros([0]), tf.zeros([0], tf.int32)
    return divergence((teacher, nothing), (student, nothing), nobody, temperature)


def divergence(teacher: Logits, student: Logits, owner: tf.Tensor, temperature: float) -> tf.Tensor:
    """As `soft_target_loss`, where rows have classes of their own besides those that all share.

    Both: logits float32 [rows, shared classes] and [n], of own classes, whose rows `owner`, int32 [n], names.
    """
    theirs, ours = (_log_softmax(logits, owner, temperature) for logits in (teacher, student))
    theirs = tf.nest.map_structure(tf.stop_gradient, theirs)
    shared, own = (tf.exp(p) * (p - q) for p, q in zip(theirs, ours, strict=True))
    total = tf.reduce_sum(shared, axis=1)
    return temperature**2 * (total + tf.math.unsorted_segment_sum(own, owner, tf.shape(total)[0]))


def _log_softmax(logits: Logits, owner: tf.Tensor, temperature: float) -> Logits:
    shared, own = (one / temperature for one in logits)
    total = with_own(tf.reduce_logsumexp(shared, axis=1), own, owner)
    return shared - total[:, None], own - tf.gather(total, owner)
