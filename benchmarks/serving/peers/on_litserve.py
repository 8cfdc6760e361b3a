"""LitServe: `POST /predict {"user_id": …}`."""

import os  # no future annotations: LitServe reads the types of decode_request
from typing import Any

import litserve  # type: ignore[import-not-found]
import tensorflow as tf


class Recommend(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._model = tf.saved_model.load(os.environ["MODEL"])
        self._run = self._model.signatures["serving_default"]

    def decode_request(self, request: dict[str, Any]) -> str:
        return request["user_id"]

    def predict(self, users: list[str]) -> list[dict[str, Any]]:
        found = self._run(user_id=tf.constant(users))
        lists = zip(found["item_id"].numpy(), found["score"].numpy(), strict=True)
        return [
            {"item_id": [item.decode() for item in items], "score": scores.tolist()}
            for items, scores in lists
        ]

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    api = Recommend(max_batch_size=32, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="error")
