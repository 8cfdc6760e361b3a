"""One version of a model in memory: loaded, warmed, run."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import tensorflow as tf

from schemas.lineage import damage
from serving.batching import Batcher
from serving.errors import ApiError, Code, code_of, invalid
from serving.signature import Signature, read_signatures
from serving.warmup import warm_up_requests

_TRACE = ("Graph execution error:", "Detected at node", "<stack traces unavailable>", '  File "', "    ")


class Model:
    """A SavedModel whose signatures can be run from any thread."""

    def __init__(self, folder: Path, batcher: Batcher | None = None) -> None:
        """Loads and warms; raises with a reason in its first line for what cannot be served.

        With a `batcher` requests that come at the same time run as one.
        """
        if damaged := damage(folder):
            raise ApiError(Code.DATA_LOSS, damaged)
        self._batcher = batcher
        self.signatures = read_signatures(folder)
        self._loaded = tf.saved_model.load(str(folder))  # owns the variables that the functions use
        self._functions = dict(self._loaded.signatures)
        captured = [tensor for one in self._functions.values() for tensor in one.captured_inputs]
        handles = {id(tensor): tensor for tensor in captured if tensor.dtype == tf.resource}
        weakref.finalize(self, _destroy, [*handles.values()]).atexit = False
        for name, inputs in warm_up_requests(folder, self.signatures):
            self._run(name, inputs)

    def signature(self, name: str) -> Signature:
        """The signature of that name; ApiError 400 if there is none."""
        if name not in self._functions or not self.signatures[name].inputs:
            if name in self.signatures:
                raise invalid(f"Failed to get input map for signature: {name}")
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return self.signatures[name]

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Inputs by name to outputs by name; strings are object arrays of bytes."""
        if self._batcher is None:
            return self._run(signature, inputs)
        return self.submit(signature, inputs).result()

    def submit(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Future[dict[str, np.ndarray]]:
        """`run` by a thread of the batcher, which there must be."""
        assert self._batcher is not None
        return self._batcher.submit((self, signature), inputs, lambda batch: self._run(signature, batch))

    def _run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            outputs = self._functions[signature](**{name: tf.constant(a) for name, a in inputs.items()})
        except tf.errors.OpError as error:
            raise ApiError(code_of(error.error_code), _without_trace(error.message)) from None
        except (TypeError, ValueError) as error:
            raise invalid(_without_trace(str(error))) from None
        return {name: _array(outputs[name]) for name in self.signatures[signature].outputs}


def _destroy(resources: list[tf.Tensor]) -> None:
    """TensorFlow keeps look-up tables, which have names, for as long as the process lives."""
    for resource in resources:
        tf.raw_ops.DestroyResourceOp(resource=resource, ignore_lookup_error=True)


def _array(tensor: tf.Tensor) -> np.ndarray:
    value = tensor.numpy()
    if isinstance(value, bytes):  # a string scalar
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    return np.asarray(value)


def _without_trace(message: str) -> str:
    """TensorFlow's reason without the places in the code that Python adds to it."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith(_TRACE)]
    return "\n".join(lines).split(" [Op:")[0] or Code.UNKNOWN.name
