"""Eviction: rows are freed and used again, others stay bit-equal, memory is bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.trainer.eviction import alive, evict
from components.trainer.growth import grow
from components.trainer.learn import learn
from components.trainer.optimizer import ACCUMULATOR, INITIAL_ACCUMULATOR
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from components.trainer.vocabulary import Vocabulary, look_up, lookup_table
from components.trainer.weights import tables
from schemas.spans import start_of
from tests.components.trainer.conftest import World

GONE = {"user": ("u003", "u007"), "item": ("i004",)}


def evicted(state: ModelState) -> ModelState:
    return evict(state, {name: set(state.vocabularies[name].ids) - set(gone) for name, gone in GONE.items()})


def rows_of(state: ModelState, name: str) -> list[int]:
    return [state.vocabularies[name].ids.index(one) + 1 for one in GONE[name]]


def test_freed_rows_are_as_new_and_all_others_bit_equal(world: World) -> None:
    before = world.base.state
    after = evicted(before)
    touched = 0
    for table, vocabulary in tables(before.spec).items():
        slot = ACCUMULATOR + table
        free = rows_of(before, vocabulary) if vocabulary in GONE else []
        assert not after.weights[table][free].any()
        assert (after.slots[slot][free] == np.float32(INITIAL_ACCUMULATOR)).all()
        touched += int(before.weights[table][free].any())
        for old, new in (
            (before.weights[table], after.weights[table]),
            (before.slots[slot], after.slots[slot]),
        ):
            assert np.delete(old, free, axis=0).tobytes() == np.delete(new, free, axis=0).tobytes()
    assert touched == 3, "user/id, item/id and item/bias had learned something there"
    dense = before.weights.keys() - tables(before.spec).keys()
    assert all(np.array_equal(after.weights[name], before.weights[name]) for name in dense)


def test_new_ids_take_free_rows_before_the_tables_grow(world: World) -> None:
    before = world.base.state
    after = grow(evicted(before), {"user": ["new b", "new a", "new c"], "item": ["new"]})
    places = [after.vocabularies["user"].ids.index(one) + 1 for one in ("new b", "new a")]
    assert places == sorted(rows_of(before, "user"))
    assert after.vocabularies["user"].ids[-1] == "new c"
    assert after.vocabularies["item"].size == before.vocabularies["item"].size
    assert after.vocabularies["item"].ids.index("new") + 1 == rows_of(before, "item")[0]


def test_a_freed_id_is_unknown_and_the_rest_is_found(world: World) -> None:
    ids = evicted(world.base.state).vocabularies["user"].ids
    found = look_up(lookup_table(ids), pa.array(["u003", "", "u004"]))
    assert found.tolist() == [0, 0, ids.index("u004") + 1]
    assert Vocabulary(("a", "", "c")).known == 2


def test_whole_generations_come_and_go_in_the_same_rows(world: World) -> None:
    state = world.base.state
    sizes = set()
    for generation in range(6):
        ids = {f"{generation} {n}" for n in range(40)}
        state = grow(evict(state, {"user": ids}), {"user": sorted(ids)})
        assert set(state.vocabularies["user"].ids) - {""} == ids
        sizes.add((state.vocabularies["user"].size, len(state.weights["user/id"])))
    assert len(sizes) == 1


def test_alive_is_who_was_seen_lately_and_what_is_new(world: World) -> None:
    data = world.first.data
    everybody = alive(data, None)
    assert everybody["item"] == set(data.catalogue["item_id"].to_pylist())
    today = alive(data, 1)
    late = data.history.filter(pc.greater_equal(data.history["last_timestamp"], start_of(data.span)))
    assert today["user"] == set(late["user_id"].to_pylist()) < everybody["user"]
    new = data.catalogue.filter(pc.equal(data.catalogue["first_span"], data.span))
    assert today["item"] == set(late["item_id"].to_pylist()) | set(new["item_id"].to_pylist())


def test_a_learn_evicts_and_serves_on_and_a_saved_state_knows_its_free_rows(
    world: World, tmp_path: Path
) -> None:
    rows, known = world.next_day, world.next_day.data.history
    unseen = pc.and_(pc.not_equal(known["user_id"], "u003"), pc.not_equal(known["item_id"], "i004"))
    rows = replace(rows, data=replace(rows.data, history=known.filter(unseen)))
    old = rows.data.span - pc.min(rows.data.catalogue["first_span"]).as_py()
    candidate = learn(world.base.state, rows, world.config.model_copy(update={"evict_days": old}))
    state = candidate.state
    assert "u003" not in state.vocabularies["user"].ids, "though it is among the replayed rows"
    assert "i004" not in state.vocabularies["item"].ids, "though the catalogue has it"
    assert candidate.report["users"] == world.base.report["users"] - 1
    assert not state.weights["user/id"][rows_of(world.base.state, "user")[0]].any()
    state.save(tmp_path)
    assert ModelState.load(tmp_path).digest() == state.digest()
    lists, scores = Scorer(state, rows.data).top_k(rows.held_out, 30)
    assert np.isfinite(scores).all()
    assert "i004" in set(lists.ravel()), "it is still a candidate, by its features"
    never = world.config.model_copy(update={"evict_days": None})
    assert learn(world.base.state, world.next_day, never).state.vocabularies["user"].known == 30
