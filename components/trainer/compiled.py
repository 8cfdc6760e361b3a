"""A training step as one TensorFlow function, traced once for steps of all sizes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from components.features.data_state import DataState
from components.trainer.averages import Averages
from components.trainer.distillation import Distillation
from components.trainer.model import TwoTower
from components.trainer.optimizer import RowSparse
from components.trainer.steps import Arrays, Steps
from components.trainer.trends import TrendTable

Inputs = dict[str, tf.Tensor]


class CompiledStep:
    """Learns a step's inputs and returns its summed loss, without what the base says."""

    def __init__(
        self,
        model: TwoTower,
        optimizer: RowSparse,
        steps: Steps,
        data: DataState,
        averages: Averages,
        distillation: Distillation | None = None,
    ) -> None:
        self._model, self._optimizer, self._averages = model, optimizer, averages
        self._distillation = distillation
        first, last = int(steps.spans.min()), int(steps.spans.max())
        self._trends = TrendTable(data.item_days, steps.catalogue, first, last)
        self._function: Any = None

    def inputs(self, arrays: Arrays) -> Inputs:
        """The tensors of what `Steps.step` made, in any thread."""
        given = {name: array for name, array in arrays.items() if name != "span"}
        spans = arrays["span"]
        given |= self._trends.distinct_days(spans)
        if self._distillation:
            given["distilled"] = self._distillation.rows(spans)
        return {name: tf.constant(array) for name, array in given.items()}

    def __call__(self, inputs: Inputs) -> tf.Tensor:
        """The loss, a scalar; it need not be there yet."""
        if self._function is None:
            signature = {name: _of_any_size(one) for name, one in inputs.items()}
            traced = tf.function(self._learned, input_signature=[signature], autograph=False)
            # Called itself, the trace need not be looked for: a tenth of a step.
            self._function = traced.get_concrete_function()
        return self._function(inputs)

    def _learned(self, inputs: Inputs) -> tf.Tensor:
        inputs = {**inputs, **self._trends.of_step(inputs)}
        with tf.GradientTape() as tape:
            logits = self._model.logits(inputs)
            loss = total = self._model.loss_of(*logits, inputs)
            if self._distillation:
                total += self._distillation.loss(logits, inputs, inputs["distilled"])
        self._optimizer.apply(tape, total)
        self._averages.add(self._optimizer.steps)
        return loss


def _of_any_size(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)
