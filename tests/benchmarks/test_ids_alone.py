"""Made-up logs of ids alone."""

from collections import Counter
from dataclasses import replace

import numpy as np

from benchmarks.ids_alone import ASKED, DAY, WORLDS, item_labels, takes

FILMS, MUSIC = (replace(WORLDS[name], users=200, items=300, days=20) for name in ("films", "music"))


def test_a_world_is_the_same_whenever_it_is_made() -> None:
    assert list(takes(FILMS)) == list(takes(FILMS)) != list(takes(replace(FILMS, seed=1)))


def test_days_follow_one_another_and_hold_all_of_their_takes() -> None:
    days = [second // DAY for _, _, second in takes(MUSIC)]
    assert days == sorted(days)
    assert set(days) == set(range(MUSIC.days))


def test_nobody_takes_a_film_twice_but_music_again_and_again() -> None:
    films, music = (Counter((user, item) for user, item, _ in takes(world)) for world in (FILMS, MUSIC))
    assert set(films.values()) == {1}
    again = 1 - len(music) / music.total()
    assert 0.4 < again < 0.9


def test_each_world_has_the_days_that_are_asked() -> None:
    assert all(world.learned + ASKED[name] <= world.days for name, world in WORLDS.items())


def test_labels_cover_all_items_and_know_nothing_of_the_takes() -> None:
    world = WORLDS["labels"]
    table, other = item_labels(world), item_labels(replace(world, focus=0.0, takes=9, drift=0.5))
    assert table.equals(other)
    ids, counts = np.unique(table["category"].to_pylist(), return_counts=True)
    assert (table.num_rows, len(ids)) == (world.items, world.labels)
    assert counts.min() > 0.05 * world.items
