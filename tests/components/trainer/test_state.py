"""A saved state is the state; growth changes nothing that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.trainer.config import LearnConfig
from components.trainer.features import FeatureSpec
from components.trainer.growth import grow
from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.state import ModelState
from components.trainer.vocabulary import Vocabulary
from components.trainer.weights import initial_table
from tests.components.trainer.conftest import World


def test_save_and_load_give_the_same_state(world: World, tmp_path: Path) -> None:
    world.base.state.save(tmp_path)
    loaded = ModelState.load(tmp_path)
    assert loaded.digest() == world.base.state.digest()
    assert loaded.vocabularies == world.base.state.vocabularies
    for name, slot in world.base.state.slots.items():
        assert np.array_equal(loaded.slots[name], slot)


def test_any_change_changes_the_digest(world: World) -> None:
    state = world.base.state
    bias = state.weights["item/bias"].copy()
    bias[1] += 1e-6
    for changed in (
        {"weights": {**state.weights, "item/bias": bias}},
        {"spans_learned": (1,)},
        {"buffer": state.buffer.slice(1)},
        {"vocabularies": {**state.vocabularies, "user": Vocabulary(("x",))}},
    ):
        assert ModelState(**{**vars(state), **changed}).digest() != state.digest()


@pytest.mark.parametrize("new", [1, 500])
def test_growth_keeps_rows_and_slots_bit_equal(world: World, new: int) -> None:
    state = world.base.state
    grown = grow(
        state, {"item": [f"new\n{n}" for n in range(new)], "item:category": [f"c{n}" for n in range(new)]}
    )
    for name, weights in state.weights.items():
        assert np.array_equal(grown.weights[name][: len(weights)], weights), name
    for name, slot in state.slots.items():
        kept = grown.slots[name] if slot.ndim == 0 else grown.slots[name][: len(slot)]
        assert np.array_equal(kept, slot), name
    assert (
        grown.vocabularies["item"].ids[: len(state.vocabularies["item"].ids)]
        == state.vocabularies["item"].ids
    )
    assert len(grown.weights["item/id"]) >= grown.vocabularies["item"].size
    assert not grown.weights["item/id"][state.vocabularies["item"].size :].any(), "a new id starts at zero"
    fresh = grown.slots[ACCUMULATOR + "item/feature/category"][len(state.weights["item/feature/category"]) :]
    assert (fresh == np.float32(INITIAL_ACCUMULATOR)).all()


def test_growth_within_the_spare_rows_copies_nothing(world: World) -> None:
    state = world.base.state
    grown = grow(state, {"item": ["one more"]})
    assert grown.weights["item/id"] is state.weights["item/id"]


def test_a_row_starts_the_same_however_large_its_table() -> None:
    spec = FeatureSpec((), (), (), ())
    for table in ("item/feature/brand", "item/id"):
        small, large = (initial_table(table, rows, 4, LearnConfig(seed=3), spec) for rows in (10, 1000))
        assert np.array_equal(small, large[:10])
        assert small.any()


def test_a_vocabulary_only_appends() -> None:
    first = Vocabulary().append(["b", "a", "b", ""])
    assert first.ids == ("b", "a")
    assert first.append(["c", "a"]).ids == ("b", "a", "c")
    assert first.append(["a"]) is first
