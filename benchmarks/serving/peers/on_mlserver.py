"""MLServer: the V2 inference protocol; gathers requests by itself."""

from __future__ import annotations

import os

import tensorflow as tf
from mlserver import MLModel  # type: ignore[import-not-found]
from mlserver.codecs import StringCodec  # type: ignore[import-not-found]
from mlserver.codecs.numpy import NumpyCodec  # type: ignore[import-not-found]
from mlserver.types import InferenceRequest, InferenceResponse  # type: ignore[import-not-found]


class Recommend(MLModel):
    async def load(self) -> bool:
        self._model = tf.saved_model.load(os.environ["MODEL"])
        self._run = self._model.signatures["serving_default"]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        users = StringCodec.decode_input(payload.inputs[0])
        found = self._run(user_id=tf.constant(users))
        items = [[item.decode() for item in row] for row in found["item_id"].numpy()]
        outputs = [
            StringCodec.encode_output("item_id", [" ".join(row) for row in items]),
            NumpyCodec.encode_output("score", found["score"].numpy()),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
