"""The SavedModel of `schemas.signatures`: stock TensorFlow operations, with users and catalogue inside."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from components.features.data_state import DataState
from components.trainer.served import Served
from components.trainer.state import ModelState


def export(state: ModelState, data: DataState, folder: Path, list_length: int) -> None:
    """Writes a SavedModel that answers as of the day after `data`, with lists of at most `list_length` items.

    Answers equal `Scorer.top_k` and `Scorer.score` for the rows of `moment.push_rows` and `recent_rows`.
    ValueError if the catalogue is empty.
    """
    if not data.catalogue.num_rows:
        raise ValueError("the catalogue is empty: ingest at least one day with events before exporting")
    served = Served(state, data, list_length)
    tf.saved_model.save(served, str(folder), signatures=served.functions())
