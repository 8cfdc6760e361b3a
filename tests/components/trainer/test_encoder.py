"""The sequence encoder: what it looks at, what it must not see, and that it is served as it is scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.averages import RUNNING
from components.trainer.config import LearnConfig
from components.trainer.encoder import SequenceEncoder
from components.trainer.export import export
from components.trainer.growth import grow
from components.trainer.learn import Candidate, learn
from components.trainer.moment import push_rows, recent_rows
from components.trainer.scoring import Scorer
from components.trainer.weights import HEADS, tables
from schemas.signatures import RECOMMEND, RECOMMEND_RECENT
from tests.components.trainer.conftest import World
from tests.factories import user_ids

RECENT = 3
WIDTH = 8
CHANGES = {"encoder": "attention", "recent_items": RECENT, "cosine": True, "dropout": 0.2}


@pytest.fixture(scope="module")
def config(world: World) -> LearnConfig:
    return LearnConfig.model_validate({**world.config.model_dump(), **CHANGES})


@pytest.fixture(scope="module")
def learned(world: World, config: LearnConfig) -> Candidate:
    return learn(None, world.first, config)


@pytest.fixture(scope="module")
def encoder(learned: Candidate) -> SequenceEncoder:
    return SequenceEncoder(learned.state)


def sequence(ages: list[list[float]], seed: int = 0) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Rows with an item at each age, each item another one with a random representation."""
    last = np.concatenate([np.zeros(0, np.float32), *ages]).astype(np.float32)
    items = np.random.default_rng(seed).standard_normal((len(last), WIDTH)).astype(np.float32)
    owner = np.repeat(np.arange(len(ages), dtype=np.int32), [len(one) for one in ages])
    history = np.arange(len(last), dtype=np.int32)
    batch = {"last": last, "owner": owner, "history": history, "user": np.zeros(len(ages), np.int32)}
    return {name: tf.constant(one) for name, one in batch.items()}, tf.constant(items)


def test_it_is_its_formula(learned: Candidate, encoder: SequenceEncoder) -> None:
    weights = learned.state.weights
    batch, taken = sequence([[2.0, 1.0]])
    items = taken.numpy()[[1, 0]] + weights["encoder/places"][:2]
    contexts = [items[0]]
    for head in range(HEADS):
        asked = items[0] @ weights[f"encoder/ask_{head}/kernel"] + weights[f"encoder/ask_{head}/bias"]
        share = np.exp(items @ asked / np.sqrt(WIDTH))
        contexts.append(share / share.sum() @ items)
    inputs = np.concatenate(contexts)
    hidden = np.maximum(inputs @ weights["encoder/hidden/kernel"] + weights["encoder/hidden/bias"], 0)
    expected = hidden @ weights["encoder/out/kernel"] + inputs @ weights["encoder/skip/kernel"]
    expected += weights["encoder/out/bias"] + weights["encoder/skip/bias"]
    np.testing.assert_allclose(encoder(batch, taken)[0], expected, rtol=1e-5, atol=1e-6)
    assert np.abs(expected).max() > 0.01


def test_its_layers_are_averaged_with_those_of_the_user_tower(learned: Candidate) -> None:
    state = learned.state
    query = {name for name in state.weights if name.startswith(("user/", "encoder/"))} - set(
        tables(state.spec)
    )
    assert "encoder/out/kernel" in query
    assert {name for name in state.slots if name.startswith(RUNNING)} == {RUNNING + name for name in query}


def test_neither_other_rows_nor_the_place_of_an_entry_change_a_row(encoder: SequenceEncoder) -> None:
    batch, taken = sequence([[5.0, 3.0, 1.0], [], [9.0, 8.0, 7.0, 6.0]])
    all_rows = encoder(batch, taken).numpy()
    alone, _ = sequence([[5.0, 3.0, 1.0]])
    np.testing.assert_allclose(encoder(alone, taken)[0], all_rows[0], atol=1e-6)
    turned = np.array([2, 1, 0, 6, 5, 4, 3])
    entries = {name: tf.gather(batch[name], turned) for name in ("last", "history", "owner")}
    np.testing.assert_allclose(encoder({**batch, **entries}, taken), all_rows, atol=1e-6)


def test_order_counts(encoder: SequenceEncoder) -> None:
    batch, taken = sequence([[2.0, 1.0], [1.0, 2.0]])
    first, second = encoder({**batch, "history": tf.constant([0, 1, 0, 1])}, taken).numpy()
    assert np.abs(first - second).max() > 1e-3


def test_only_the_newest_items_count(encoder: SequenceEncoder) -> None:
    batch, taken = sequence([[float(age) for age in range(RECENT + 2, 0, -1)]])
    changed = tf.concat([taken[:2] + 1.0, taken[2:]], axis=0)
    assert np.array_equal(encoder(batch, changed), encoder(batch, taken))
    changed = tf.concat([taken[:-RECENT], taken[-RECENT:-2] + 1.0, taken[-2:]], axis=0)
    assert not np.allclose(encoder(batch, changed), encoder(batch, taken))


def test_nobody_without_history_is_told_anything(encoder: SequenceEncoder) -> None:
    batch, _ = sequence([[]])
    assert not encoder(batch, tf.ones([1, WIDTH])).numpy().any()


def test_dropout_falls_on_steps_alone_and_by_their_seed(encoder: SequenceEncoder) -> None:
    batch, taken = sequence([[2.0, 1.0]])
    once, again, other = (
        encoder({**batch, "seed": tf.constant([seed, 7])}, taken).numpy() for seed in (1, 1, 2)
    )
    assert np.array_equal(once, again)
    assert not np.allclose(once, other)
    assert np.array_equal(encoder(batch, taken), encoder(batch, taken))


def test_the_same_arguments_give_the_same_model_and_a_later_day_moves_it(
    world: World, config: LearnConfig, learned: Candidate
) -> None:
    assert learn(None, world.first, config).state.digest() == learned.state.digest()
    later = learn(learned.state, world.next_day, config)
    moved = {
        name
        for name, array in later.state.weights.items()
        if name.startswith("encoder/") and not np.array_equal(array, learned.state.weights[name])
    }
    assert {"encoder/places", "encoder/skip/kernel", "encoder/out/kernel", "encoder/ask_0/kernel"} <= moved


def test_growth_gives_new_items_what_a_fresh_model_would_have_there(learned: Candidate) -> None:
    state = learned.state
    rows = len(state.weights["item/id"])
    grown = grow(state, {"item": [f"new{n}" for n in range(rows)]})
    assert np.array_equal(grown.weights["item/id"][:rows], state.weights["item/id"])
    assert (np.linalg.norm(grown.weights["item/id"][rows:], axis=1) > 0).all()


def test_a_base_without_it_cannot_be_learned_on_with_it(world: World, config: LearnConfig) -> None:
    with pytest.raises(ValueError, match=r"learn.encoder is attention, but the base was learned with bags"):
        learn(world.base.state, world.next_day, config)


@pytest.mark.contract
def test_what_is_served_is_what_is_scored(world: World, learned: Candidate, tmp_path: Path) -> None:
    data = world.first.data
    export(learned.state, data, tmp_path / "1", 10)
    served = tf.saved_model.load(str(tmp_path / "1")).signatures
    users = [*user_ids(20), "", "stranger"]
    _, scores = Scorer(learned.state, data).top_k(push_rows(data, users), 10)
    np.testing.assert_allclose(served[RECOMMEND](user_id=tf.constant(users))["score"], scores, atol=1e-5)
    items = data.catalogue.column("item_id").to_pylist()[:5]
    recent = [items, ["", "", *items[:3]], ["", "", *items[2::-1]]]
    _, scores = Scorer(learned.state, data).top_k(recent_rows(data, recent), 10)
    got = served[RECOMMEND_RECENT](recent_items=tf.constant(recent))["score"].numpy()
    np.testing.assert_allclose(got, scores, atol=1e-5)
    assert not np.allclose(got[1], got[2])


def test_vectors_have_length_one(world: World, learned: Candidate) -> None:
    ranker = Scorer(learned.state, world.first.data)._before
    norms = np.linalg.norm(ranker.vectors, axis=0)
    np.testing.assert_allclose(norms, 1.0, atol=1e-3)
