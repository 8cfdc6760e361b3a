"""A version in memory: what it holds goes with it."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from schemas.signatures import RECOMMEND
from serving.model import Model
from tests.serving import recommender


def table_sizes(handles: list[tf.Tensor]) -> list[int]:
    return [int(tf.raw_ops.LookupTableSizeV2(table_handle=one)) for one in handles]


def test_tables_of_an_unloaded_version_are_gone(tmp_path: Path) -> None:
    """They have names, and TensorFlow keeps what has a name: each version pushed would stay for ever."""
    recommender.write(tmp_path / "1")
    model = Model(tmp_path / "1")
    captured = model._functions[RECOMMEND].captured_inputs
    tables = [one for one in captured if one.dtype == tf.resource and one.shape == () and _is_table(one)]
    assert table_sizes(tables) == [len(recommender.USERS)]
    assert model.run(RECOMMEND, {"user_id": np.array([b"ann"], object)})["item_id"].shape == (1, 2)
    del model, captured
    gc.collect()
    with pytest.raises(tf.errors.NotFoundError):
        table_sizes(tables)


def _is_table(handle: tf.Tensor) -> bool:
    try:
        return table_sizes([handle])[0] >= 0
    except tf.errors.OpError:
        return False
