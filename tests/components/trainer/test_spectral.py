"""Places of items, and where rows of ids alone begin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from components.trainer import spectral
from components.trainer.config import LearnConfig
from components.trainer.learn import learn
from components.trainer.rates import table_rate
from components.trainer.spectral import embedded
from components.trainer.state import ModelState
from tests.components.trainer.conftest import CONFIG
from tests.components.trainer.test_bare_logs import bare

USERS, ITEMS, TASTES = 300, 60, 3


def takes(seed: int, own: float, times: int = 1) -> sparse.csr_matrix:
    """Days on which users took items: a share `own` of their own taste, user and item modulo TASTES."""
    rng, users, items = np.random.default_rng(seed), times * USERS, times * ITEMS
    user = np.repeat(np.arange(users), 12)
    item = rng.integers(0, items, len(user))
    of_taste = rng.random(len(user)) < own
    item[of_taste] += (user[of_taste] - item[of_taste]) % TASTES
    return sparse.csr_matrix((np.ones(len(user)), (user, item % items)), (users, items))


def test_items_of_one_taste_begin_near_one_another() -> None:
    vectors = embedded(takes(0, own=0.7), width=16, seed=0)
    likeness = vectors @ vectors.T
    same = np.equal.outer(np.arange(ITEMS) % TASTES, np.arange(ITEMS) % TASTES)
    assert likeness[same].min() > likeness[~same].max()
    kept = np.flatnonzero(np.abs(vectors).max(axis=0) > 0)
    assert len(kept) >= TASTES - 1, "as many directions as there are differences of tastes"


@pytest.mark.parametrize("seed", range(5))
def test_chance_tells_next_to_nothing(seed: int) -> None:
    by_taste, by_chance = (np.linalg.norm(embedded(takes(seed, own), width=16, seed=0)) for own in (0.7, 0.0))
    assert by_chance < 0.2 * by_taste


def test_vectors_do_not_grow_with_the_catalogue_nor_go_beyond_the_width() -> None:
    size = [
        np.sqrt((embedded(takes(0, own=0.7, times=times), width=16, seed=0) ** 2).sum(axis=1).mean())
        for times in (1, 4)
    ]
    assert size[1] == pytest.approx(size[0], rel=0.5)
    assert embedded(takes(0, own=0.7), width=2, seed=0).shape == (ITEMS, 2)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2), (3, 3)])
def test_a_handful_of_users_or_items_tells_nothing(shape: tuple[int, int]) -> None:
    assert not embedded(sparse.csr_matrix(np.ones(shape)), width=8, seed=0).any()


def test_items_that_nobody_took_and_places_that_are_spare_begin_with_nothing() -> None:
    days = takes(0, own=0.7)
    days = sparse.hstack([days, sparse.csr_matrix((USERS, 2))]).tocsr()
    assert np.abs(embedded(days, width=16, seed=0)[-2:]).max() < 1e-9


@pytest.mark.parametrize("days", [np.eye(40), np.ones((40, 50)), np.kron(np.eye(4), np.ones((10, 5)))])
def test_what_is_alike_in_many_ways_is_told_in_one(days: np.ndarray) -> None:
    """Equal singular values have no vectors of their own; the same come again all the same."""
    first = embedded(sparse.csr_matrix(days), width=8, seed=0)
    embedded(takes(1, own=0.5), width=8, seed=1)
    assert np.array_equal(embedded(sparse.csr_matrix(days), width=8, seed=0), first)
    assert np.isfinite(first).all()


def test_nothing_is_told_of_users_who_share_no_item() -> None:
    assert not embedded(sparse.csr_matrix(np.eye(40)), width=8, seed=0).any()


def test_an_item_of_two_takers_begins_with_nothing_and_moves_no_other() -> None:
    days, pair = takes(0, own=0.7), np.zeros((USERS, 1))
    pair[:2] = 1.0
    vectors = embedded(sparse.hstack([days, sparse.csr_matrix(pair)]).tocsr(), width=16, seed=0)
    assert not vectors[-1].any()
    assert np.array_equal(vectors[:-1], embedded(days, width=16, seed=0))


def test_chance_is_the_most_of_some_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shuffle alone may fall low, and what is above it be chance too."""
    days = takes(0, own=0.7)
    reached = []
    for shuffles in (1, 2, 8):
        monkeypatch.setattr(spectral, "SHUFFLES", shuffles)
        reached.append(float(np.linalg.norm(embedded(days, width=16, seed=0))))
    assert reached == sorted(reached, reverse=True)
    assert reached[0] > reached[-1] > 0.8 * reached[0]


def test_both_ways_to_decompose_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = embedded(takes(0, own=0.7), width=8, seed=0)
    monkeypatch.setattr(spectral, "WHOLE", 0)
    likeness = [one @ one.T for one in (whole, embedded(takes(0, own=0.7), width=8, seed=0))]
    np.testing.assert_allclose(*likeness, atol=1e-8)


def untaught(labels: Callable[[str], str] | None) -> tuple[ModelState, np.ndarray]:
    """A first learn of two groups of users whose items never meet, and its item rows.

    Tables learn so slowly that they are where they began.
    """
    rng = np.random.default_rng(0)
    events = [
        (f"u{n}", f"{'ab'[n % 2]}{item}") for n in range(120) for item in rng.choice(20, 8, replace=False)
    ]
    items = sorted({item for _, item in events})
    table = pa.table({"item_id": items, "category": [labels(one) for one in items]}) if labels else None
    state = learn(None, bare(events, table), CONFIG.model_copy(update={"table_rate": 1e-9})).state
    assert list(state.vocabularies["item"].ids) == items
    return state, state.weights["item/id"][1 : len(items) + 1]


def alternating(item: str) -> str:
    """A label that tells nothing of the group."""
    return f"c{int(item[1:]) % 4}"


def of_group(item: str) -> str:
    """A label that tells it."""
    return item[0]


@pytest.mark.parametrize("labels", [None, alternating, of_group])
def test_a_first_learn_begins_there(
    labels: Callable[[str], str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def margin() -> float:
        """How much more alike items of a group are than items of two, in standard deviations."""
        state, vectors = untaught(labels)
        group = np.array([one[0] for one in state.vocabularies["item"].ids])
        same = np.equal.outer(group, group) & ~np.eye(len(group), dtype=bool)
        likeness = vectors @ vectors.T
        apart = likeness[same].mean() - likeness[group[:, None] != group].mean()
        return float(apart / max(likeness.std(), 1e-9))

    assert margin() > 1.0
    monkeypatch.setattr(spectral, "SIZE", 0.0)
    assert abs(margin()) < 1.0


def test_beside_labels_that_tell_few_people_place_no_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """120 people and 40 items: a quarter of an item a person is fewer than there are."""
    for labels, begins in ((of_group, False), (alternating, True), (None, True)):
        monkeypatch.setattr(spectral, "PER_PERSON", 0.25)
        state, vectors = untaught(labels)
        assert state.spec.ids_alone == begins
        assert (np.abs(vectors).max() > 1e-3) == begins


def of_days(*days: str) -> pa.Table:
    """A row a day, in which somebody takes an item a letter."""
    items = pa.array([list(day) for day in days], pa.list_(pa.string()))
    return pa.table(
        {"span": pa.array([[n] for n in range(len(days))], pa.list_(pa.int32())), "item_id": items}
    )


def test_so_many_places_a_person_are_trusted() -> None:
    places = np.zeros((spectral.PER_PERSON * 10 + 5, 3))
    places[5:, 1] = 1.0
    assert spectral.trusted(places, 10, of_days("a"))
    assert not spectral.trusted(places, 9, of_days("a"))
    assert spectral.trusted(np.zeros((9, 0)), 0, of_days("a"))


def test_places_are_not_trusted_where_most_of_what_is_taken_came_yesterday() -> None:
    places = np.zeros((3, 2))
    assert spectral.trusted(places, 10, of_days("abc", "abc", "aabd"))
    assert not spectral.trusted(places, 10, of_days("abc", "abc", "aedf"))


def test_what_lasts_is_asked_of_the_newest_tenth_of_days() -> None:
    assert spectral.lasting(of_days("ab", "ab", "abcd")) == 0.5
    assert spectral.lasting(of_days("ab")) == 1.0
    assert spectral.lasting(of_days("ab").slice(0, 0)) == 1.0
    days = ["ab"] * 18 + ["c", "cc"]
    assert spectral.lasting(of_days(*days)) == 0.0, "two of twenty days, in which c came"


def test_labels_that_tell_nothing_do_not_slow_ids_down() -> None:
    alone, labelled = (untaught(labels)[0] for labels in (None, alternating))
    assert alone.spec.ids_alone
    assert labelled.spec.ids_alone
    assert table_rate(LearnConfig(), labelled.spec) == table_rate(LearnConfig(), alone.spec)
