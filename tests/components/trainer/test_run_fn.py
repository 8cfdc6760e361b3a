"""The files of a TFX Trainer: first model, then a day on top of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from components.replay import prepare
from components.trainer.run_fn import run_fn
from components.trainer.state import ModelState
from tests.components.trainer.conftest import World


def arguments(world: World, which: str, folder: Path, base: Path | None) -> SimpleNamespace:
    """What TFX's Trainer hands over, for rows written as the replay step writes them."""
    rows = getattr(world, which)
    splits = {"new": rows.new, "replay": rows.replay, "held_out": rows.held_out}
    prepare.write(splits, folder / "rows")
    rows.data.save(folder / "data")
    told = {
        "config": world.config.model_dump(mode="json"),
        "data_state": str(folder / "data"),
        "span": rows.data.span,
        "spans": list(rows.learned_spans()),
        "list_length": 3,
    }
    return SimpleNamespace(
        train_files=[str(folder / "rows" / f"Split-{split}" / "*") for split in ("new", "replay")],
        eval_files=[str(folder / "rows" / "Split-held_out" / "*")],
        hyperparameters=json.loads(json.dumps(told)),
        base_model=str(base / "Format-Serving") if base else None,
        serving_model_dir=str(folder / "model" / "Format-Serving"),
    )


def test_a_first_model_and_a_day_on_top(world: World, tmp_path: Path) -> None:
    run_fn(arguments(world, "first", tmp_path / "first", None))
    first = tmp_path / "first" / "model"
    assert ModelState.load(first / "state").digest() == world.base.state.digest()
    run_fn(arguments(world, "next_day", tmp_path / "next", first))
    second = tmp_path / "next" / "model"
    assert ModelState.load(second / "state").spans_learned[-1] == world.next_day.data.span
    report = json.loads((second / "state" / "report.json").read_text())
    assert report["rows_replay"] == world.next_day.replay.num_rows
    lists = tf.saved_model.load(str(second / "Format-Serving")).signatures["serving_default"]
    assert lists(user_id=tf.constant(["u001"]))["item_id"].shape == (1, 3)


def test_examples_without_new_rows_are_refused(world: World, tmp_path: Path) -> None:
    given = arguments(world, "first", tmp_path, None)
    given.train_files = given.train_files[1:]
    with pytest.raises(ValueError, match="no split 'new'"):
        run_fn(given)
