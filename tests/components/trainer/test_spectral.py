"""Where items of ids alone begin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from components.trainer import spectral
from components.trainer.learn import learn
from components.trainer.spectral import embedded
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


def test_both_ways_to_decompose_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = embedded(takes(0, own=0.7), width=8, seed=0)
    monkeypatch.setattr(spectral, "WHOLE", 0)
    likeness = [one @ one.T for one in (whole, embedded(takes(0, own=0.7), width=8, seed=0))]
    np.testing.assert_allclose(*likeness, atol=1e-8)


def test_a_first_learn_of_ids_alone_begins_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups of users whose items never meet; tables learn so slowly that they are where they began."""
    rng = np.random.default_rng(0)
    users = [f"u{n}" for n in range(120)]
    events = [
        (user, f"{'ab'[n % 2]}{item}")
        for n, user in enumerate(users)
        for item in rng.choice(20, 8, replace=False)
    ]
    rows = bare(events)

    def margin() -> float:
        """How much more alike items of a group are than items of two, in standard deviations."""
        state = learn(None, rows, CONFIG.model_copy(update={"table_rate": 1e-9})).state
        ids = state.vocabularies["item"].ids
        vectors = state.weights["item/id"][1 : len(ids) + 1]
        group = np.array([one[0] for one in ids])
        same = np.equal.outer(group, group) & ~np.eye(len(ids), dtype=bool)
        likeness = vectors @ vectors.T
        return (likeness[same].mean() - likeness[group[:, None] != group].mean()) / likeness.std()

    told = margin()
    monkeypatch.setattr(spectral, "SIZE", 0.0)
    assert told > 1.0 > abs(margin())
