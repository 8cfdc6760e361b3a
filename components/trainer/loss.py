"""In-batch sampled softmax for rows with several positives and with candidates of their own."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs

_NEVER = -1e9


def multi_positive_softmax(
    shared: tf.Tensor,
    shared_weight: tf.Tensor,
    shared_excluded: tf.Tensor,
    inclusion: tf.Tensor,
    own: tf.Tensor,
    own_weight: tf.Tensor,
    own_mask: tf.Tensor,
) -> tf.Tensor:
    """Summed over rows b and positives p of weight w: w · log(1 + Σ_n exp(s_bn - log π_n) / exp(s_bp)).

    The negatives n of a row are all its candidates but its positives: neither an accidental hit nor
    another positive of the row counts against a positive. A shared candidate that had probability π of
    being among the candidates stands for 1/π items like it (logQ correction: Bengio & Senécal 2008, Yi et
    al. 2019); the positive itself is there with certainty and is not corrected (Khrylchenko et al. 2025).

    Args:
      shared: float32 [rows, candidates] logits of candidates that all rows share.
      shared_weight: float32 [rows, candidates], > 0 where the candidate is a positive of the row.
      shared_excluded: bool [rows, candidates], True where the candidate is among the row's own ones.
      inclusion: float32 [candidates], π in (0, 1].
      own: float32 [rows, n] logits of candidates that only this row has, with certainty.
      own_weight, own_mask: float32 and bool [rows, n]; masked entries are padding.
    """
    corrected = tfrs.layers.loss.SamplingProbablityCorrection()(shared, inclusion)
    against = tf.concat(
        [
            tf.where(shared_excluded | (shared_weight > 0), _NEVER, corrected),
            tf.where(own_mask & (own_weight <= 0), own, _NEVER),
        ],
        axis=1,
    )
    against = tf.reduce_logsumexp(against, axis=1, keepdims=True)
    return tf.reduce_sum(shared_weight * tf.nn.softplus(against - shared)) + tf.reduce_sum(
        own_weight * tf.nn.softplus(against - own)
    )
