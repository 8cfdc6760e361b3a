"""The model as MLflow's registry holds it: a thin pyfunc that opens the SavedModel where it lies.

MLflow runs this file as it stands (models from code), so it imports nothing of the project.
"""

from __future__ import annotations

from typing import Any

import mlflow
import pandas as pd


class ServedModel(mlflow.pyfunc.PythonModel):
    """Recommends by user id: a column `user_id` in, lists `item_id` and `score` out, best first."""

    def load_context(self, context: Any) -> None:
        import tensorflow as tf

        self._model = tf.saved_model.load(context.model_config["saved_model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:
        import tensorflow as tf

        users = model_input["user_id"].fillna("").astype(str).tolist()
        answer = self._model.signatures["serving_default"](user_id=tf.constant(users, tf.string))
        items = [[item.decode() for item in one] for one in answer["item_id"].numpy()]
        return pd.DataFrame({"item_id": items, "score": answer["score"].numpy().tolist()})


mlflow.models.set_model(ServedModel())
