"""In-batch sampled softmax for rows with several positives and with candidates of their own."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs

NEVER = -1e9
"""The logit of what cannot be chosen."""


def multi_positive_softmax(
    shared: tf.Tensor,
    positive: tf.Tensor,
    positive_weight: tf.Tensor,
    excluded: tf.Tensor,
    inclusion: tf.Tensor,
    own: tf.Tensor,
    own_weight: tf.Tensor,
    owner: tf.Tensor,
    discovery: float = 0.0,
) -> tf.Tensor:
    """Summed over rows b and positives p of weight w: w · log(1 + Σ_n exp(s_bn - log π_n) / exp(s_bp)).

    The negatives n of a row are all its candidates but its positives: neither an accidental hit nor
    another positive of the row counts against a positive, nor what was not to be had on its day. A shared
    candidate that had probability π of being among the candidates stands for 1/π items like it (logQ
    correction: Bengio & Senécal 2008, Yi et al. 2019); the positive itself is there with certainty and is
    not corrected (Khrylchenko et al. 2025).
    Of the loss, `discovery` is over the row's new items alone: new positives against new negatives.

    Args:
      shared: float32 [rows, candidates] logits of candidates that all rows share.
      positive, positive_weight: int32 [p, 2] and float32 [p], row and candidate of each shared positive. They
        are few: taken out of the matrix, they cost no pass over all of it.
      excluded: bool [rows, candidates], True where the candidate is no negative of the row: one of its
        positives, one of its own candidates, or not there on its day.
      inclusion: float32 [candidates], π in (0, 1].
      own: float32 [n] logits of candidates that only one row has, with certainty.
      own_weight, owner: float32 and int32 [n], > 0 where it is a positive, and the row that has it.
      discovery: λ in [0, 1): (1 - λ) · loss over all items + λ · loss with the row's own ones masked out.
    """
    new = tf.where(excluded, NEVER, corrected(shared, inclusion))
    past = tf.where(own_weight <= 0, own, NEVER)
    against_new = tf.reduce_logsumexp(new, axis=1)
    against = with_own(against_new, past, owner)
    taken, taker = tf.gather_nd(shared, positive), positive[:, 0]
    of_all = _lost(positive_weight, tf.gather(against, taker), taken)
    of_all += _lost(own_weight, tf.gather(against, owner), own)
    of_new = _lost(positive_weight, tf.gather(against_new, taker), taken)
    return (1.0 - discovery) * of_all + discovery * of_new


def _lost(weight: tf.Tensor, against: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
    """Σ w · log(1 + exp(against) / exp(logit)). All: float32 [n]."""
    return tf.reduce_sum(weight * tf.nn.softplus(against - logit))


def with_own(total: tf.Tensor, own: tf.Tensor, owner: tf.Tensor) -> tf.Tensor:
    """float32 [rows]: log(exp(total) + Σ exp(own)) over each row's own entries.

    total: float32 [rows]; own, owner: float32 and int32 [n].
    """
    rows = tf.shape(total)[0]
    # Any shift is right; this one keeps the exponentials finite, and has no gradient to give.
    shift = tf.stop_gradient(tf.maximum(total, tf.math.unsorted_segment_max(own, owner, rows)))
    summed = tf.math.unsorted_segment_sum(tf.exp(own - tf.gather(shift, owner)), owner, rows)
    return shift + tf.math.log(tf.exp(total - shift) + summed)


def corrected(shared: tf.Tensor, inclusion: tf.Tensor) -> tf.Tensor:
    """The logits s - log π of candidates that are in the sample with probability π."""
    return tfrs.layers.loss.SamplingProbablityCorrection()(shared, inclusion)
