"""How well candidate, champion and the champion of a month ago do on rows that no model has trained on.

TensorFlow Model Analysis scores given (example, label) pairs; it does not rank a full catalogue a row,
which is what recall@k of a retrieval model means. So ranking and metrics are NumPy, and the result is
written as TFX's standard ModelEvaluation.
"""
