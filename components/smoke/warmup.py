"""Warm-up records: the smoke test's requests in the form that TF Serving replays before a version serves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2  # type: ignore[import-untyped]

from schemas.home import MODEL_NAME
from schemas.signatures import WARM_UP_FILE

MAX_RECORDS = 1000
"""TF Serving refuses to load a version with more."""


def write_warm_up(saved_model: Path, requests: Iterable[dict[str, Any]], model_name: str = MODEL_NAME) -> int:
    """Writes `requests` (`schemas.signatures.SMOKE_FILE`) beside the SavedModel; the number of records."""
    path = saved_model / WARM_UP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    types = _input_types(saved_model)
    written = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in list(requests)[:MAX_RECORDS]:
            log = _log(request, types[request["signature"]], model_name)
            writer.write(log.SerializeToString(deterministic=True))  # else the order of inputs is chance
            written += 1
    return written


def _input_types(saved_model: Path) -> dict[str, dict[str, int]]:
    """By signature and input the number of its type: an integer in JSON may stand for several."""
    model = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    return {
        name: {key: tensor.dtype for key, tensor in signature.inputs.items()}
        for name, signature in model.meta_graphs[0].signature_def.items()
    }


def _log(request: dict[str, Any], types: dict[str, int], model_name: str) -> Any:
    log = prediction_log_pb2.PredictionLog()
    predict = log.predict_log.request
    predict.model_spec.name = model_name
    predict.model_spec.signature_name = request["signature"]
    for name, values in request["inputs"].items():
        predict.inputs[name].CopyFrom(tf.make_tensor_proto(values, types[name]))
    return log
