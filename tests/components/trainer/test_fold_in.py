"""Items that are taken for the first time begin near what their takers took before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.features.rows import flat
from components.trainer.fold_in import PRIORS, Takers, first_taken, first_takers, fold_in, line
from components.trainer.growth import grow
from components.trainer.learn import TrainingRows, learn
from components.trainer.vocabulary import UNKNOWN, Vocabulary
from tests.components.trainer.conftest import World

TASTES, KNOWN, WIDTH, USERS = 3, 60, 8, 240
ITEMS = Vocabulary(tuple(f"i{n}" for n in range(KNOWN))).append(["liked by 0", "liked by 0 too", "nobody's"])
NEW = np.arange(ITEMS.size) > KNOWN


def one_row_a_user(taken: list[list[str]], history: list[list[str]]) -> pa.Table:
    """Rows in the layout of `schemas.rows`, as far as folding in reads them."""
    before = [[int(item in had) for item in items] for items, had in zip(taken, history, strict=True)]
    return pa.table(
        {
            "history_item": pa.array(history, pa.list_(pa.string())),
            "item_id": pa.array(taken, pa.list_(pa.string())),
            "times_before": pa.array(before, pa.list_(pa.int64())),
        }
    )


def shop(new_taken_by: dict[str, range], *, tastes_tell: bool = True) -> tuple[np.ndarray, pa.Table]:
    """Rows of items, and of users who keep to their taste, user and item modulo TASTES."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((TASTES, WIDTH))
    table = np.zeros((ITEMS.size + 20, WIDTH), np.float32)
    table[UNKNOWN] = 0.5
    taste = np.arange(KNOWN) % TASTES
    aims = directions[taste] if tastes_tell else rng.standard_normal((KNOWN, WIDTH))
    table[1 : KNOWN + 1] = 0.5 + aims
    table[KNOWN + 1 : ITEMS.size] = table[UNKNOWN]
    of_taste = [np.flatnonzero(taste == one) for one in range(TASTES)]
    taken, history = [], []
    for user in range(USERS):
        mine = [f"i{n}" for n in rng.choice(of_taste[user % TASTES], 6, replace=False)]
        taken.append([mine[0], *(item for item, users in new_taken_by.items() if user in users)])
        history.append(mine[1:])
    return table, one_row_a_user(taken, history)


FEW, MANY = range(0, 9, TASTES), range(0, 90, TASTES)


def test_a_new_item_begins_near_the_items_of_its_takers() -> None:
    table, rows = shop({"liked by 0": FEW, "liked by 0 too": MANY})
    folded = fold_in(table, rows, ITEMS, NEW)
    moved = folded - table
    few, many = (ITEMS.ids.index(name) + 1 for name in ("liked by 0", "liked by 0 too"))
    likeness = [(table[1 : KNOWN + 1][taste::TASTES] - 0.5).mean(axis=0) @ moved[many] for taste in range(3)]
    assert likeness[0] > max(likeness[1:])
    assert 0 < np.linalg.norm(moved[few]) < np.linalg.norm(moved[many]), "few takers tell less"
    others = np.delete(np.arange(len(table)), [few, many])
    assert folded[others].tobytes() == table[others].tobytes()


def test_where_takers_tell_nothing_of_items_hardly_anything_moves() -> None:
    moves = []
    for tastes_tell in (True, False):
        table, rows = shop({"liked by 0": MANY}, tastes_tell=tastes_tell)
        moves.append(np.linalg.norm(fold_in(table, rows, ITEMS, NEW) - table))
    assert moves[1] < 0.2 * moves[0]


def test_takes_of_what_one_had_before_do_not_count() -> None:
    table, rows = shop({"liked by 0": MANY})
    new = ITEMS.ids.index("liked by 0") + 1
    again = rows.set_column(2, "times_before", pa.array([[1] * n for n in map(len, rows["item_id"])]))
    assert fold_in(table, again, ITEMS, NEW) is table
    assert (fold_in(table, rows, ITEMS, NEW)[new] != table[new]).any()


def test_too_few_items_tell_nothing() -> None:
    table, rows = shop({"liked by 0": MANY})
    few = Vocabulary((*ITEMS.ids[:9], "liked by 0"))
    assert fold_in(table, rows, few, np.arange(few.size) > 9) is table


@given(st.floats(0.1, 50), st.sampled_from(PRIORS), st.integers(0, 100), st.sampled_from([1, -1]))
def test_the_line_is_the_one_that_rows_lie_on(slope: float, prior: float, seed: int, sign: int) -> None:
    rng = np.random.default_rng(seed)
    number = rng.integers(1, 200, 50).astype(float)
    told = rng.standard_normal((50, 4)) * (number / (number + prior))[:, None]
    told -= (number[:, None] * told).sum(axis=0) / number.sum()
    total, own = told * (number + prior)[:, None], 1 + sign * slope * told
    found = line(Takers(number, total), own)
    if sign > 0:
        assert found == (pytest.approx(slope, rel=0.05), prior)
    else:
        assert found[0] == 0


def test_first_taken_is_what_no_other_day_knows() -> None:
    items = Vocabulary(("old", "", "new", "untaken"))
    days = pa.table({"span": [1, 2, 2, 3], "item_id": ["old", "old", "new", "new"]})
    assert first_taken(items, days, {2, 3}).tolist() == [False, False, False, True, False]
    assert not first_taken(items, days, {2}).any(), "a later day knows it: what was learned of it stays"


def test_a_day_begins_its_new_items_and_nothing_else(world: World) -> None:
    """Learned at next to no rate: what is left is where rows begin."""
    day, still = world.next_day, {"table_rate": 1e-9, "dense_rate": 1e-9}
    first_takes = flat(day.new, "item_id").filter(pa.array(flat(day.new, "times_before") == 0))
    item = Counter(first_takes.to_pylist()).most_common(1)[0][0]
    others = Vocabulary(tuple(one for one in world.base.state.vocabularies["item"].ids if one != item))
    base = replace(
        world.base.state,
        vocabularies=world.base.state.vocabularies | {"item": others},
        weights=world.base.state.weights
        | {"item/id": alike(world.base.state.weights["item/id"], day, others)},
    )
    days = day.data.item_days
    earlier = pc.and_(pc.equal(days["item_id"], item), pc.less(days["span"], day.data.span))
    data = replace(day.data, item_days=days.filter(pc.invert(earlier)))
    grown = grow(base, {"item": [item]})
    after = learn(base, replace(day, data=data), world.config.model_copy(update=still)).state
    assert after.vocabularies["item"] == grown.vocabularies["item"]
    moved = np.abs(after.weights["item/id"] - grown.weights["item/id"]).max(axis=1)
    place = grown.vocabularies["item"].ids.index(item) + 1
    assert moved[place] > 1e-3
    assert np.delete(moved, place).max() < 1e-6


def alike(table: np.ndarray, day: TrainingRows, items: Vocabulary) -> np.ndarray:
    """The table with rows that follow from their takers', which those of a world of chance do not."""
    own = np.random.default_rng(0).standard_normal((items.size, table.shape[1]))
    for _ in range(50):
        takers = first_takers(day.new, items, own, np.arange(items.size) > 0)
        own += takers.total / (takers.number + 1)[:, None]
        own /= np.abs(own).max()
    changed = table.copy()
    changed[1 : items.size] = table[UNKNOWN] + own[1:]
    return changed
