"""BentoML: `POST /recommend {"user_id": [ … ]}`; gathers requests by itself."""

from __future__ import annotations

import os
from typing import Any

import bentoml  # type: ignore[import-not-found]


@bentoml.service(workers=1, traffic={"timeout": 60})
class Recommend:
    def __init__(self) -> None:
        import tensorflow as tf

        self._tf = tf
        self._model = tf.saved_model.load(os.environ["MODEL"])
        self._run = self._model.signatures["serving_default"]

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000)
    def recommend(self, user_id: list[str]) -> list[dict[str, Any]]:
        found = self._run(user_id=self._tf.constant(user_id))
        lists = zip(found["item_id"].numpy(), found["score"].numpy(), strict=True)
        return [
            {"item_id": [item.decode() for item in items], "score": scores.tolist()}
            for items, scores in lists
        ]
