"""The SavedModel of `schemas.signatures`: stock TensorFlow operations, with users and catalogue inside."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from components.features.data_state import DataState
from components.trainer.served import Served
from components.trainer.state import ModelState
from schemas.signatures import (
    EMBED_ITEM,
    EMBED_USER,
    RECOMMEND,
    RECOMMEND_CONTEXT,
    RECOMMEND_RECENT,
    SCORE,
)


def export(state: ModelState, data: DataState, folder: Path, list_length: int) -> None:
    """Writes a SavedModel that answers as of the day after `data`, with lists of at most `list_length` items.

    Answers equal `Scorer.top_k` and `Scorer.score` for the rows of `moment.push_rows` and `recent_rows`.
    ValueError if the catalogue is empty.
    """
    if not data.catalogue.num_rows:
        raise ValueError("the catalogue is empty: ingest at least one day with events before exporting")
    served = Served(state, data, list_length)
    functions = {
        RECOMMEND: served.recommend,
        RECOMMEND_RECENT: served.recommend_recent,
        RECOMMEND_CONTEXT: served.recommend_context,
        SCORE: served.score,
        EMBED_USER: served.embed_user,
        EMBED_ITEM: served.embed_item,
    }
    signatures = {name: function.get_concrete_function() for name, function in functions.items()}
    tf.saved_model.save(served, str(folder), signatures=signatures)
