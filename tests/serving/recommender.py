"""A tiny recommender with the signatures of schemas/signatures.py, for tests of what surrounds a model."""

from __future__ import annotations

import json
from pathlib import Path

import tensorflow as tf

from schemas.signatures import RECOMMEND, RECOMMEND_CONTEXT, RECOMMEND_RECENT, SCORE, SMOKE_FILE

ITEMS = ["bread", "milk", "eggs"]
USERS = {"ann": [0.5, 2.0, -1.0], "bob": [1.0, 1.0, 0.25]}
NOBODY = [0.3, 0.2, 0.1]


class Recommender(tf.Module):
    """Scores by user from a table; recent items are recommended first."""

    def __init__(self) -> None:
        super().__init__()
        self._items = tf.constant(ITEMS)
        self._scores = tf.Variable([NOBODY, *USERS.values()])
        keys = tf.constant(list(USERS))
        self._rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, tf.range(1, len(USERS) + 1)), 0
        )

    def _top(self, scores):
        score, index = tf.math.top_k(scores, 2)
        return {"item_id": tf.gather(self._items, index), "score": score}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="user_id")])
    def recommend(self, user_id):
        return self._top(tf.gather(self._scores, self._rows.lookup(user_id)))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string, name="recent_items")])
    def recommend_recent(self, recent_items):
        recent = tf.reduce_any(recent_items[:, :, None] == self._items, axis=1)
        return self._top(tf.cast(recent, tf.float32) + self._scores[0])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="user_id"),
            tf.TensorSpec([None, None], tf.string, name="recent_items"),
            tf.TensorSpec([None, None], tf.int64, name="recent_times"),
            tf.TensorSpec([None, None], tf.string, name="recent_behaviors"),
            tf.TensorSpec([None, None], tf.string, name="user_features"),
            tf.TensorSpec([None, None], tf.string, name="exclude"),
            tf.TensorSpec([None], tf.int64, name="now"),
            tf.TensorSpec([None], tf.int32, name="k"),
        ]
    )
    def recommend_context(
        self, user_id, recent_items, recent_times, recent_behaviors, user_features, exclude, now, k
    ):
        """Each recent event is worth 10, the table's score less; excluded items are padding at the end."""
        taken = tf.reduce_sum(tf.cast(recent_items[:, :, None] == self._items, tf.float32), axis=1)
        scores = 10 * taken + tf.gather(self._scores, self._rows.lookup(user_id))
        gone = tf.reduce_any(exclude[:, :, None] == self._items, axis=1)
        score, index = tf.math.top_k(tf.where(gone, -1e9, scores), tf.minimum(tf.reduce_max(k), len(ITEMS)))
        return {"item_id": tf.where(score > -1e8, tf.gather(self._items, index), ""), "score": score}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="user_id"),
            tf.TensorSpec([None], tf.string, name="item_id"),
        ]
    )
    def score(self, user_id, item_id):
        scores = tf.gather(self._scores, self._rows.lookup(user_id))
        hit = item_id[:, None] == self._items
        found = tf.reduce_sum(tf.where(hit, scores, 0.0), axis=1)
        return {"score": tf.where(tf.reduce_any(hit, axis=1), found, -float("inf"))}


SMOKE = [
    {
        "signature": RECOMMEND,
        "inputs": {"user_id": ["ann", "bob", "nobody"]},
        "outputs": {
            "item_id": [["milk", "bread"], ["milk", "bread"], ["bread", "milk"]],
            "score": [[2.0, 0.5], [1.0, 1.0], [0.3, 0.2]],  # bob's two tie: either order is right
        },
    },
    {
        "signature": RECOMMEND_RECENT,
        "inputs": {"recent_items": [["", "eggs"]]},
        "outputs": {"item_id": [["eggs", "bread"]], "score": [[1.1, 0.3]]},
    },
    {
        "signature": SCORE,
        "inputs": {"user_id": ["ann", "ann"], "item_id": ["eggs", "tea"]},
        "outputs": {"score": [-1.0, -float("inf")]},
    },
]


def write(folder: Path, smoke: list[dict] | None = None) -> Path:
    """Writes the SavedModel with its smoke expectations; gives the folder."""
    model = Recommender()
    signatures = {
        RECOMMEND: model.recommend,
        RECOMMEND_RECENT: model.recommend_recent,
        RECOMMEND_CONTEXT: model.recommend_context,
        SCORE: model.score,
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    path = folder / SMOKE_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(SMOKE if smoke is None else smoke))
    return folder
