"""What the parts of the model share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

Tensors = Mapping[str, tf.Tensor]

SEED = "seed"
"""Name of the tensor, int32 [2], from which a step draws what it drops."""


class Part(tf.keras.layers.Layer):
    """Variables by name, as they are called in the model state."""

    def __init__(self, prefix: str, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__(name=prefix)
        mine = {name: array for name, array in weights.items() if name.startswith(prefix + "/")}
        self.arrays = {name: tf.Variable(array, name=prefix) for name, array in mine.items()}

    def dense(self, name: str, inputs: tf.Tensor) -> tf.Tensor:
        return tf.linalg.matmul(inputs, self.arrays[f"{name}/kernel"]) + self.arrays[f"{name}/bias"]

    def rows(self, name: str, indices: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.arrays[name], indices)

    def categories(self, prefix: str, columns: tuple[str, ...], indices: tf.Tensor) -> list[tf.Tensor]:
        """The embeddings of each column's categories; indices: int32 [n, columns]."""
        return [self.rows(prefix + name, indices[:, place]) for place, name in enumerate(columns)]


def dropped(values: tf.Tensor, rate: float, batch: Tensors, salt: int) -> tf.Tensor:
    """Dropout (Srivastava et al. 2014) where a step is learned: its arrays hold a seed. salt: a place."""
    if not rate or SEED not in batch:
        return values
    return tf.nn.experimental.stateless_dropout(values, rate, batch[SEED] + [salt, 0])


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """The vectors at length 1; next to zero they stay short. float32 [n, dimension]."""
    return tf.math.l2_normalize(vectors, axis=1, epsilon=1e-6)
