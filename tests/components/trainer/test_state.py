"""A saved state is the state; growth changes nothing that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.trainer.config import LearnConfig
from components.trainer.eviction import evict
from components.trainer.features import FeatureSpec
from components.trainer.growth import grow
from components.trainer.moment import push_rows
from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from components.trainer.vocabulary import UNKNOWN, Vocabulary
from components.trainer.weights import initial_table, tables
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
    used = {table: state.vocabularies[of].size for table, of in tables(state.spec).items() if of}
    for name, weights in state.weights.items():
        rows = used.get(name, len(weights))
        assert np.array_equal(grown.weights[name][:rows], weights[:rows]), name
    for name, slot in state.slots.items():
        kept = grown.slots[name] if slot.ndim == 0 else grown.slots[name][: len(slot)]
        assert np.array_equal(kept, slot), name
    assert (
        grown.vocabularies["item"].ids[: len(state.vocabularies["item"].ids)]
        == state.vocabularies["item"].ids
    )
    assert len(grown.weights["item/id"]) >= grown.vocabularies["item"].size
    fresh = grown.slots[ACCUMULATOR + "item/feature/category"][len(state.weights["item/feature/category"]) :]
    assert (fresh == np.float32(INITIAL_ACCUMULATOR)).all()


@pytest.mark.parametrize("new", [1, 500])
def test_a_new_id_begins_as_what_it_was_read_as(world: World, new: int) -> None:
    state = world.base.state
    ids = {name: [f"new\n{n}" for n in range(new)] for name in state.vocabularies}
    grown = grow(state, ids)
    for table, vocabulary in tables(state.spec).items():
        if vocabulary is None:
            assert grown.weights[table] is state.weights[table]
            continue
        rows = slice(state.vocabularies[vocabulary].size, grown.vocabularies[vocabulary].size)
        assert (grown.weights[table][rows] == state.weights[table][UNKNOWN]).all(), table
        assert (grown.slots[ACCUMULATOR + table][rows] == np.float32(INITIAL_ACCUMULATOR)).all()
    assert state.weights["item/id"][UNKNOWN].any(), "the unknown row was learned"


def test_growth_alone_changes_no_answer(world: World) -> None:
    whole, data = world.base.state, world.first.data
    users = data.users.column("user_id").to_pylist()
    ids = {"user": users, "item": data.catalogue.column("item_id").to_pylist()}
    state = evict(whole, {name: set(some[::2]) for name, some in ids.items()})
    grown = grow(state, ids)
    assert {name: grown.vocabularies[name].known for name in ids} == {n: len(of) for n, of in ids.items()}
    rows, length = push_rows(data, pa.array([*users, ""])), len(ids["item"])
    lists, scores = Scorer(grown, data).top_k(rows, length)
    unknown_lists, unknown_scores = Scorer(state, data).top_k(rows, length)
    assert lists.tolist() == unknown_lists.tolist() != Scorer(whole, data).top_k(rows, length)[0].tolist()
    np.testing.assert_array_equal(scores, unknown_scores)


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
