"""Requests that a version answers before it takes traffic, so that no client pays for a graph's first run.

TF Serving's own warm-up records come first; a version without them is warmed with the requests that the
trainer left beside it. A request that the model cannot answer makes the load fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from schemas.signatures import SMOKE_FILE, WARM_UP_FILE
from serving import codec
from serving.signature import DEFAULT, Signature

MAX_RECORDS = 1000
"""TF Serving refuses more."""

Request = tuple[str, dict[str, np.ndarray]]
"""Signature and inputs by name."""


def warm_up_requests(version: Path, signatures: Mapping[str, Signature]) -> Iterator[Request]:
    """What the version's folder holds; nothing is no error.

    Raises ValueError for records that are broken or too many, ApiError for a request that does not fit.
    """
    if (version / WARM_UP_FILE).is_file():
        yield from _records(version / WARM_UP_FILE)
    elif (version / SMOKE_FILE).is_file():
        yield from _first_of_each_signature(version / SMOKE_FILE, signatures)


def _records(path: Path) -> Iterator[Request]:
    """The predict requests among a TFRecord file's `PredictionLog`s."""
    from tensorflow_serving.apis import prediction_log_pb2  # type: ignore[import-untyped]

    records = list(islice(tf.data.TFRecordDataset(str(path)).as_numpy_iterator(), MAX_RECORDS + 1))
    if len(records) > MAX_RECORDS:
        raise ValueError(f"{path} has more than {MAX_RECORDS} warm-up records")
    for record in records:
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        if request.inputs:
            inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            yield request.model_spec.signature_name or DEFAULT, inputs


def _first_of_each_signature(path: Path, signatures: Mapping[str, Signature]) -> Iterator[Request]:
    seen = set()
    for request in json.loads(path.read_text()):
        name = request["signature"]
        if name in seen:
            continue
        seen.add(name)
        if name not in signatures:
            raise ValueError(f'{path}: Serving signature name: "{name}" not found in signature def')
        yield name, codec.tensors(request, signatures[name].inputs)[1]
