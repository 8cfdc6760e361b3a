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


def takes(seed: int, own: float) -> sparse.csr_matrix:
    """Days on which users took items: a share `own` of their own taste, user and item modulo TASTES."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(USERS), 12)
    item = rng.integers(0, ITEMS, len(user))
    of_taste = rng.random(len(user)) < own
    item[of_taste] += (user[of_taste] - item[of_taste]) % TASTES
    return sparse.csr_matrix((np.ones(len(user)), (user, item % ITEMS)), (USERS, ITEMS))


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
    small = takes(0, own=0.7)
    twice = sparse.block_diag([small, small]).tocsr()
    size = [np.sqrt((embedded(one, width=16, seed=0) ** 2).sum(axis=1).mean()) for one in (small, twice)]
    assert size[1] == pytest.approx(size[0], rel=0.5)
    assert embedded(small, width=2, seed=0).shape == (ITEMS, 2)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2), (3, 3)])
def test_a_handful_of_users_or_items_tells_nothing(shape: tuple[int, int]) -> None:
    assert not embedded(sparse.csr_matrix(np.ones(shape)), width=8, seed=0).any()


def test_items_that_nobody_took_and_places_that_are_spare_begin_with_nothing() -> None:
    days = takes(0, own=0.7)
    days = sparse.hstack([days, sparse.csr_matrix((USERS, 2))]).tocsr()
    assert np.abs(embedded(days, width=16, seed=0)[-2:]).max() < 1e-9


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
