"""A small SavedModel with a signature for every corner of the REST contract.

`python tests/serving/contract_model.py FOLDER [VERSION]` writes it, for a server that is started by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tensorflow as tf

NAME = "contract"
SIGNATURES = (
    *("double", "upper", "two", "types", "binary", "scalar", "any_shape", "uneven", "half"),
    *("nothing", "number", "classes", "value", "version"),
)


def _spec(name: str, dtype: tf.DType, shape: list | None = None) -> tf.TensorSpec:
    return tf.TensorSpec([None] if shape is None else shape, dtype, name=name)


class ContractModel(tf.Module):
    """`version` comes out of every answer of the signature `version`."""

    def __init__(self, version: int) -> None:
        super().__init__()
        self._version = tf.Variable(version, dtype=tf.int64)

    @tf.function(input_signature=[_spec("x", tf.float32, [None, 2])])
    def double(self, x):
        return {"y": x * 2}

    @tf.function(input_signature=[_spec("text", tf.string)])
    def upper(self, text):
        return {"upper": tf.strings.upper(text)}

    @tf.function(input_signature=[_spec("a", tf.float32), _spec("b", tf.float32)])
    def two(self, a, b):
        return {"sum": a + b, "product": a * b}

    @tf.function(
        input_signature=[
            _spec("i32", tf.int32),
            _spec("i64", tf.int64),
            _spec("u8", tf.uint8),
            _spec("flag", tf.bool),
        ]
    )
    def types(self, i32, i64, u8, flag):
        return {"i32": i32, "i64": i64, "u8": u8, "flag": tf.logical_not(flag)}

    @tf.function(input_signature=[_spec("data", tf.string)])
    def binary(self, data):
        return {"data_bytes": data, "length": tf.strings.length(data)}

    @tf.function(input_signature=[_spec("v", tf.float32, [])])
    def scalar(self, v):
        return {"w": v + 1}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def any_shape(self, x):
        return {"x": tf.identity(x), "double": tf.cast(x, tf.float64) * 2}

    @tf.function(input_signature=[_spec("x", tf.float32)])
    def uneven(self, x):
        return {"all": x + 0, "first": x[:1]}

    @tf.function(input_signature=[_spec("x", tf.float16)])
    def half(self, x):
        return {"y": x}

    @tf.function(input_signature=[_spec("x", tf.string)])
    def nothing(self, x):
        return {"y": x[:0]}

    @tf.function(input_signature=[_spec("x", tf.string)])
    def number(self, x):
        return {"y": tf.size(x)}

    @tf.function(input_signature=[_spec("examples", tf.string)])
    def _parsed(self, examples):
        return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]

    @tf.function(input_signature=[_spec("inputs", tf.string)])
    def classes(self, inputs):
        x = self._parsed(inputs)
        labels = tf.tile([["low", "high"]], [tf.shape(x)[0], 1])
        return {"classes": labels, "scores": tf.stack([1 - x, x], axis=1)}

    @tf.function(input_signature=[_spec("inputs", tf.string)])
    def value(self, inputs):
        return {"outputs": self._parsed(inputs) * 10}

    @tf.function(input_signature=[_spec("rounds", tf.int32)])
    def version(self, rounds):
        """Takes some microseconds a round."""
        busy = tf.while_loop(
            lambda i, m: i < tf.reduce_max(rounds),
            lambda i, m: (i + 1, tf.tanh(tf.matmul(m, m))),
            (tf.constant(0), tf.ones([32, 32])),
        )[1]
        zero = tf.cast(tf.reduce_sum(busy) * 0, tf.int64)
        return {"version": tf.fill(tf.shape(rounds), self._version + zero)}


def write(folder: Path, version: int = 1) -> None:
    """Writes the SavedModel into `folder`."""
    model = ContractModel(version)
    signatures = {name: getattr(model, name) for name in SIGNATURES}
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.double, **signatures})


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    write(Path(sys.argv[1]) / NAME / str(number), number)
