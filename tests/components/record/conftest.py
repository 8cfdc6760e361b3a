"""A SavedModel that recommends, and a day to record."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory) -> Path:
    """`serving_default`: user_id [B] -> item_id, score [B, 2]; the first item is named after the user."""
    import tensorflow as tf

    class Echo(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="user_id")])
        def recommend(self, user_id):
            items = tf.stack(
                [tf.strings.join(["for ", user_id]), tf.fill(tf.shape(user_id), "popular")], axis=1
            )
            return {"item_id": items, "score": tf.tile([[2.0, 1.0]], [tf.shape(user_id)[0], 1])}

    folder = tmp_path_factory.mktemp("model") / "Format-Serving"
    echo = Echo()
    tf.saved_model.save(echo, str(folder), signatures={"serving_default": echo.recommend})
    return folder
